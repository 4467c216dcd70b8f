//! The Caesar cipher as a guest of `saritnike:cipher`: [`caesar`] is the cipher, the rest are bindings.
//!
//! Setting: `SHIFT_AMOUNT`, a whole number of any sign and size (default: 3).

pub mod caesar;

// Only a component has a host to bind to; the cipher itself can be built and tested anywhere.
#[cfg(target_family = "wasm")]
mod component {
    #![allow(unsafe_code, reason = "generated from WIT")]

    use std::cell::Cell;
    use std::sync::LazyLock;

    use crate::caesar::Shift;
    use exports::saritnike::cipher::streaming::{Guest as Streaming, GuestMessage, Message, Operation};
    use saritnike::cipher::audit_log::auditrecord;

    wit_bindgen::generate!({ path: "../wit", world: "streaming-encoder-decoder-service" });

    const VARIABLE: &str = "SHIFT_AMOUNT";
    const DEFAULT: &str = "3";

    /// The shift that encrypts. The environment of an instance does not change, so it is read once.
    static SHIFT: LazyLock<Shift> = LazyLock::new(shift);

    struct Caesar;

    export!(Caesar);

    impl Guest for Caesar {
        fn encr(input: String) -> String {
            whole(Operation::Encr, input)
        }

        fn decr(input: String) -> String {
            whole(Operation::Decr, input)
        }
    }

    impl Streaming for Caesar {
        type Message = Open;
    }

    /// A message in progress.
    struct Open {
        operation: Operation,
        shift: Shift,
        /// Characters so far. A stream may be larger than the memory of a 32-bit machine.
        length: Cell<u64>,
    }

    impl GuestMessage for Open {
        fn new(operation: Operation) -> Self {
            let shift = match operation {
                Operation::Encr => *SHIFT,
                Operation::Decr => SHIFT.inverse(),
            };
            Self { operation, shift, length: Cell::new(0) }
        }

        fn update(&self, chunk: String) -> String {
            self.length.set(self.length.get() + chunk.chars().count() as u64);
            self.shift.apply(chunk)
        }

        fn finish(message: Message) -> String {
            let open: Self = message.into_inner();
            record(open.operation, open.length.get());
            // Every chunk was transformed at once, so no output remains.
            String::new()
        }
    }

    fn whole(operation: Operation, input: String) -> String {
        let message = Open::new(operation);
        let output = message.update(input);
        record(operation, message.length.get());
        output
    }

    fn record(operation: Operation, length: u64) {
        let action = match operation {
            Operation::Encr => "encrypt",
            Operation::Decr => "decrypt",
        };
        auditrecord(action, &format!("Length: {length}"));
    }

    /// The shift in the environment.
    fn shift() -> Shift {
        let value = std::env::var_os(VARIABLE);
        let value = value.as_ref().map_or(DEFAULT.into(), |value| value.to_string_lossy());
        Shift::parse(&value).unwrap_or_else(|error| fail(&format!("{VARIABLE} {error}")))
    }

    /// Fails the call as the contract requires: one line on stderr, then a trap.
    fn fail(reason: &str) -> ! {
        eprintln!("{reason}");
        std::process::abort()
    }
}
