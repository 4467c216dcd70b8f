//! A manifest: one that can be used, or an error of one line.

#![no_main]

use cipher::manifest::{self, Manifest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| match Manifest::parse(text) {
    Ok(manifest) => {
        assert!(manifest::is_name(&manifest.name) && !manifest.name.contains('/'));
        assert!(manifest.settings.keys().all(|variable| !variable.is_empty() && !variable.contains(['=', '\0'])));
        assert!(
            manifest
                .settings
                .values()
                .filter_map(|setting| setting.default.as_ref())
                .all(|default| !default.contains('\0'))
        );
    }
    Err(error) => {
        let error = format!("{error:#}");
        assert!(!error.contains('\n'), "{error}");
    }
});
