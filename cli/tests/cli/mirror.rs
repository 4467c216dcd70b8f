//! A guest that satisfies the contract, which tests change in one place at a time.

/// Its component, as text.
pub(crate) const COMPONENT: &str = include_str!("../conformance/right.wat");

/// Its manifest.
pub(crate) const MANIFEST: &str = "\
name = \"Mirror\"
description = \"Returns its input\"
[[known-answers]]
plaintext = \"Hello\"
ciphertext = \"Hello\"
";
