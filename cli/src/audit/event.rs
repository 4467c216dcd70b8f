//! What a guest recorded of a message.

use std::time::SystemTime;

/// What a guest has put on record of a message, in order.
#[derive(Debug, Default)]
pub struct Events {
    /// All actions and details, one after the other. A batch has many entries, which so need no memory each.
    words: String,
    made: Vec<EventBounds>,
    /// How many more the guest made, past the limits.
    dropped: u64,
}

#[derive(Debug)]
struct EventBounds {
    time: SystemTime,
    /// Where in `words` the action ends, which begins where the entry before it ends.
    action_end: usize,
    detail_end: usize,
}

/// One call of `auditrecord`.
#[derive(Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// When.
    pub time: SystemTime,
    /// What was done, in the guest's words.
    pub action: &'a str,
    /// To what, in the guest's words.
    pub detail: &'a str,
}

impl Events {
    /// Adds an entry made now, unless that were more than `most` entries or `most_bytes` of actions and details.
    pub fn add(&mut self, action: &str, detail: &str, most: usize, most_bytes: usize) {
        let bytes = self.words.len().saturating_add(action.len()).saturating_add(detail.len());
        if self.made.len() >= most || bytes > most_bytes {
            self.dropped += 1;
            return;
        }
        self.words.push_str(action);
        let action_end = self.words.len();
        self.words.push_str(detail);
        self.made.push(EventBounds { time: SystemTime::now(), action_end, detail_end: self.words.len() });
    }

    /// Those that were kept.
    pub fn iter(&self) -> impl Iterator<Item = Event<'_>> {
        let mut begin = 0;
        self.made.iter().map(move |&EventBounds { time, action_end, detail_end }| {
            let action = &self.words[begin..action_end];
            begin = detail_end;
            Event { time, action, detail: &self.words[action_end..detail_end] }
        })
    }

    /// How many were not.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Forgets all of them, for the next message.
    pub fn clear(&mut self) {
        self.words.clear();
        self.made.clear();
        self.dropped = 0;
    }
}

/// The guest that entries come from.
#[derive(Debug)]
pub struct Origin {
    /// Its name.
    pub name: String,
    /// The SHA-256 of its component.
    pub digest: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_past_a_limit_is_counted() {
        let mut entries = Events::default();
        for (action, detail) in [("a", "b"), ("c", "de"), ("f", ""), ("g", "")] {
            entries.add(action, detail, 2, 4);
        }
        let kept: Vec<_> = entries.iter().map(|entry| (entry.action, entry.detail)).collect();
        assert_eq!((kept.as_slice(), entries.dropped()), (&[("a", "b"), ("f", "")][..], 2));
        entries.clear();
        assert_eq!((entries.iter().count(), entries.dropped()), (0, 0));
    }
}
