//! Requests of `cipher batch`: any line is parsed or refused, with its `id` copied verbatim.

#![no_main]

use cipher::request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, &[u8])| {
    let (passes_through, line) = input;
    let (copied, request) = request::parse(line, passes_through);
    match request {
        Ok(request) => {
            assert!(request.settings.iter().all(|(name, value)| !name.contains('\0') && !value.contains('\0')));
        }
        Err(error) => {
            let error = error.to_string();
            assert!(!error.is_empty() && !error.contains('\n') && error.len() < 10_000);
        }
    }
    assert!(passes_through || copied.others.is_empty());
    let values = copied.others.iter().map(|(_, value)| *value);
    for value in copied.id.into_iter().chain(values) {
        let value = value.get();
        serde_json::from_str::<serde::de::IgnoredAny>(value).expect("a copied value is JSON");
        assert!(line.windows(value.len()).any(|part| part == value.as_bytes()), "it is copied verbatim");
    }
});
