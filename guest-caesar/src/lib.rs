//! The Caesar cipher as a guest of `saritnike:cipher`: [`caesar`] is the cipher, the rest are the bindings.
//!
//! Setting: `SHIFT_AMOUNT`, a whole number of any sign and size, 3 when it is not set.

pub mod caesar;

// Only a component has a host to bind to; the cipher alone builds and is tested anywhere.
#[cfg(target_family = "wasm")]
mod component {
    #![allow(unsafe_code, reason = "generated from WIT")]

    use std::cell::Cell;

    use crate::caesar::Shift;
    use exports::saritnike::cipher::streaming::{Guest as Streaming, GuestMessage, Message, Operation};
    use saritnike::cipher::audit_log::auditrecord;

    wit_bindgen::generate!({ path: "../wit", world: "streaming-encoder-decoder-service" });

    const VARIABLE: &str = "SHIFT_AMOUNT";
    const DEFAULT: &str = "3";

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

    /// A message whose chunks are still coming.
    struct Open {
        operation: Operation,
        shift: Shift,
        /// Characters so far; in 64 bits, as a stream may be larger than this machine's memory.
        length: Cell<u64>,
    }

    impl GuestMessage for Open {
        fn new(operation: Operation) -> Self {
            Self { operation, shift: shift_for(operation), length: Cell::new(0) }
        }

        fn update(&self, chunk: String) -> String {
            self.length.set(self.length.get() + chunk.chars().count() as u64);
            self.shift.apply(chunk)
        }

        fn finish(message: Message) -> String {
            let open: Self = message.into_inner();
            record(open.operation, open.length.get());
            // Every chunk was answered at once: nothing was held back.
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

    /// The shift that the environment asks for, in the direction of `operation`.
    fn shift_for(operation: Operation) -> Shift {
        let value = std::env::var_os(VARIABLE);
        let value = value.as_ref().map_or(DEFAULT.into(), |value| value.to_string_lossy());
        let shift = Shift::parse(&value).unwrap_or_else(|error| fail(&format!("{VARIABLE} {error}")));
        match operation {
            Operation::Encr => shift,
            Operation::Decr => shift.inverse(),
        }
    }

    /// Ends the call as the contract says a failure must: one line on standard error, then a trap.
    fn fail(reason: &str) -> ! {
        eprintln!("{reason}");
        std::process::abort()
    }
}
