//! A line of `cipher batch`: a request, or an error of one line with the `id` as it came.

#![no_main]

use cipher::records::request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    let id = match request::parse(line) {
        Ok(request) => {
            assert!(request.settings.0.iter().all(|(name, value)| !name.contains('\0') && !value.contains('\0')));
            request.id
        }
        Err((id, error)) => {
            let error = error.to_string();
            assert!(!error.is_empty());
            id
        }
    };
    if let Some(id) = id.0 {
        let id = id.get();
        serde_json::from_str::<serde::de::IgnoredAny>(id).expect("an id is JSON");
        assert!(line.windows(id.len()).any(|part| part == id.as_bytes()), "an id comes back as it came");
    }
});
