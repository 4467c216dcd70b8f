//! Index entries: small files that lead from a component to its artifact.

use std::fs::Metadata;

use super::identity::FileIdentity;
use super::seal::Seal;
use crate::guest::digest::Digest;

/// The maximum size of an index entry, in bytes: a path has at most 4096, and escaping may multiply them by six.
pub(super) const MAX_BYTES: u64 = 32 << 10;

/// The contents of an index entry: which artifact it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The component that was compiled.
    pub component: Digest,
    /// The file of the artifact when the entry was written.
    pub artifact: FileIdentity,
    /// The SHA-256 of the artifact.
    pub contents: Digest,
    /// A file that contained the component, escaped for a terminal.
    pub path: String,
}

impl Entry {
    /// Whether the artifact's file is still the one that the entry was written for.
    pub(super) fn is_for(&self, artifact: &Metadata) -> bool {
        self.artifact == FileIdentity::of(artifact)
    }

    /// The text of the entry `name`.
    pub(super) fn seal(&self, name: &str, seal: &Seal) -> String {
        let Self { component, artifact, contents, path } = self;
        let text = format!("{component} {artifact} {contents}\n{path}\n");
        let tag = seal.tag(name, &text);
        text + &tag + "\n"
    }

    /// The entry in `text`, if it was sealed under this `name`.
    pub(super) fn unseal(name: &str, text: &str, seal: &Seal) -> Option<Self> {
        let (text, tag) = text.strip_suffix('\n')?.rsplit_once('\n')?;
        // With its line feed.
        let text = &format!("{text}\n");
        if seal.is_tag(name, text, tag) { Self::parse(text) } else { None }
    }

    /// The entry in `text`, without checking its seal.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut words = lines.next()?.split(' ');
        let mut word = || words.next();
        Some(Self {
            component: word()?.parse().ok()?,
            artifact: word()?.parse().ok()?,
            contents: word()?.parse().ok()?,
            path: lines.next()?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_what_it_sealed() {
        let digest = Digest::of(b"component");
        let artifact: FileIdentity = "1-2-3.4-5.6".parse().ok().unwrap();
        let entry = Entry { component: digest, artifact, contents: Digest::of(b"artifact"), path: "/a b".to_owned() };
        let ours = Seal::with_key([1; 32]);
        let text = entry.seal("name", &ours);
        assert_eq!(Entry::unseal("name", &text, &ours), Some(entry.clone()));
        assert_eq!(Entry::unseal("other", &text, &ours), None);
        assert_eq!(Entry::unseal("name", &text, &Seal::with_key([2; 32])), None);
        assert_eq!(Entry::unseal("name", &text.replace("/a b", "/a c"), &ours), None);
        assert_eq!(Entry::unseal("name", &text.replace("1-2-", "1-3-"), &ours), None);
        assert_eq!(Entry::unseal("name", &entry.seal("name", &Seal::None), &ours), None);
        assert_eq!(Entry::unseal("name", &entry.seal("name", &Seal::None), &Seal::None), Some(entry));
        for end in 0..text.len() {
            assert_eq!(Entry::unseal("name", &text[..end], &ours), None, "{end}");
        }
    }
}
