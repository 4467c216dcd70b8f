//! The [age](https://age-encryption.org/v1) format as a guest of `saritnike:cipher`: armored messages to recipients or
//! under a passphrase, which the `age` command can decrypt, and vice versa.
//!
//! [`encrypt`] and [`decrypt`] are the cipher, around the `age` crate; [`keys`] reads the settings; the rest are the
//! bindings of the contract.

pub mod decrypt;
pub mod encrypt;
pub mod keys;

// Only a component has a host to bind to; the cipher builds and is tested anywhere.
#[cfg(target_family = "wasm")]
mod component {
    use std::cell::RefCell;

    use crate::decrypt::Decryption;
    use crate::encrypt::Encryption;
    use crate::keys::Settings;
    use exports::saritnike::cipher::streaming::{Guest as Streaming, GuestMessage, Message, Operation};
    use saritnike::cipher::audit_log::auditrecord;

    wit_bindgen::generate!({ path: "../../../wit", world: "streaming-encoder-decoder-service" });

    struct Age;

    export!(Age);

    impl Guest for Age {
        fn encr(input: String) -> String {
            whole(Operation::Encr, &input)
        }

        fn decr(input: String) -> String {
            whole(Operation::Decr, &input)
        }
    }

    impl Streaming for Age {
        type Message = Open;
    }

    /// A message whose chunks are still to come.
    struct Open(RefCell<State>);

    struct State {
        cipher: Cipher,
        /// Unicode characters so far.
        length: u64,
    }

    enum Cipher {
        Encryption(Box<Encryption>),
        Decryption(Decryption),
    }

    impl GuestMessage for Open {
        fn new(operation: Operation) -> Self {
            let cipher = Settings::from_environment().and_then(|settings| match operation {
                Operation::Encr => Encryption::new(&settings).map(Box::new).map(Cipher::Encryption),
                Operation::Decr => Decryption::new(&settings).map(Cipher::Decryption),
            });
            Self(RefCell::new(State { cipher: or_fail(cipher), length: 0 }))
        }

        fn update(&self, chunk: String) -> String {
            let mut state = self.0.borrow_mut();
            state.length += chunk.chars().count() as u64;
            or_fail(match &mut state.cipher {
                Cipher::Encryption(encryption) => encryption.update(&chunk),
                Cipher::Decryption(decryption) => decryption.update(&chunk),
            })
        }

        fn finish(message: Message) -> String {
            message.into_inner::<Self>().end()
        }
    }

    impl Open {
        fn end(self) -> String {
            let State { cipher, length } = self.0.into_inner();
            let (action, rest) = match cipher {
                Cipher::Encryption(encryption) => ("encrypt", encryption.finish()),
                Cipher::Decryption(decryption) => ("decrypt", decryption.finish()),
            };
            let rest = or_fail(rest);
            auditrecord(action, &format!("Length: {length}"));
            rest
        }
    }

    fn whole(operation: Operation, input: &str) -> String {
        let message = Open::new(operation);
        let start = message.update(input.to_owned());
        start + &message.end()
    }

    /// Fails the call as the contract requires: one line on stderr, then a trap.
    fn or_fail<T>(result: Result<T, String>) -> T {
        result.unwrap_or_else(|reason| {
            eprintln!("{}", reason.replace('\n', " "));
            std::process::abort()
        })
    }
}

#[cfg(test)]
mod tests;
