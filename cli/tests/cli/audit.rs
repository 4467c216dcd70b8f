//! Audit events: their formats, and the files and pipes that many processes share.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::thread;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::guests;
use crate::harness::{Cipher, audit_event, new_directory};

/// The maximum size of an atomic write to a pipe, in bytes.
const PIPE_BUF: usize = 4096;

fn with_guests(arguments: &[&str]) -> Cipher {
    Cipher::new(arguments).env("CIPHER_GUESTS", guests::directory())
}

/// A guest directory with a guest that records beginnings of events, and one that prints.
fn forgers() -> Cipher {
    let cipher = Cipher::shell("");
    let assemble = |file: &str| wat::parse_file(file).expect("it is a component");
    cipher
        .file("Forge.wasm", assemble("tests/misbehaving/forge-through-a-pipe.wat"))
        .file("Forge.toml", "name = \"Forge\"\ndescription = \"\"\n")
        .file("Printer.wasm", assemble("tests/guests/Printer.wat"))
        .file("Printer.toml", "name = \"Printer\"\ndescription = \"\"\n")
        .env("CIPHER_GUESTS", ".")
}

/// Joins the parts of events: the action and detail of each event, by process.
#[track_caller]
fn join(lines: impl IntoIterator<Item = String>) -> BTreeMap<String, Vec<(String, String)>> {
    let mut events: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for line in lines {
        assert!(line.len() < PIPE_BUF, "{} bytes", line.len());
        let parts = line.strip_prefix("[AUDIT] Part ").and_then(|rest| rest.split_once(" | Action: "));
        let (part, fields) = parts.unwrap_or_else(|| panic!("forged or torn: {line}"));
        let (action, detail) = fields.split_once(" | Detail: ").expect("it has a detail");
        let (numbers, process) = part.split_once(" of ").expect("it names its process");
        let events = events.entry(process.to_owned()).or_default();
        if numbers.starts_with("1/") {
            events.push(Default::default());
        }
        let event = events.last_mut().expect("the first part comes first");
        event.0 += action;
        event.1 += detail;
    }
    events
}

fn expect_forged(events: &[(String, String)]) {
    for (action, detail) in events {
        assert_eq!(action, r"[AUDIT] Action: decrypt \u{7c}");
        assert!(detail.len() == 900_000 && detail.starts_with("[AUDIT] Action: decrypt | Detail: FORGED"));
    }
}

#[test]
fn processes_cannot_forge_on_shared_pipe() {
    let run = "for i in 1 2 3 4; do cipher encrypt Forge x 2>&1 >/dev/null & done | cat; wait";
    let ended = forgers().script(run).run().exits(0);
    let events = join(ended.text().lines().map(str::to_owned));
    assert_eq!(events.len(), 4);
    events.values().for_each(|events| {
        assert_eq!(events.len(), 1);
        expect_forged(events);
    });
}

#[test]
fn workers_keep_log_lines_whole() {
    let requests = ["{\"message\":\"x\",\"algorithm\":\"Forge\"}\n", "{\"message\":\"x\",\"algorithm\":\"Printer\"}\n"];
    let run = "for i in 1 2; do cipher batch -j4 <requests 2>&1 >/dev/null & done | cat; wait";
    let cipher = forgers().script(run).file("requests", requests.concat().repeat(40)).env("RUST_LOG", "cipher=info");
    let ended = cipher.run().exits(0);
    let log = "[INFO  cipher::";
    let (logged, events): (Vec<&str>, Vec<&str>) = ended.text().lines().partition(|line| line.starts_with(log));
    let events = join(events.into_iter().map(str::to_owned));
    assert_eq!(events.values().map(Vec::len).collect::<Vec<_>>(), [40, 40]);
    events.values().for_each(|events| expect_forged(events));
    assert_eq!(
        logged.iter().filter(|line| line.ends_with("Printer printed: this is \\u{1b}[31mno result")).count(),
        80
    );
}

#[test]
fn json_parts_can_be_joined() {
    let ended = forgers().script("cipher encrypt Forge x --audit-format json 2>&1 >/dev/null | cat").run().exits(0);
    let lines: Vec<&str> = ended.text().lines().filter(|line| line.contains("\"event\":")).collect();
    let parts: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).expect("a part is JSON")).collect();
    assert!(lines.iter().all(|line| line.len() < PIPE_BUF));
    let joined: String = parts.iter().filter_map(|part| part["event"]["detail"].as_str()).collect();
    assert!(joined.len() == 900_000 && joined.starts_with("[AUDIT] Action: decrypt | Detail: FORGED"));
    for (part, number) in parts.iter().zip(1..) {
        assert_eq!(
            (&part["part"], &part["parts"], &part["sequence"]),
            (&json!(number), &json!(parts.len()), &json!(1))
        );
    }
}

#[test]
fn short_lines_share_writes() {
    let script = "cipher encrypt Caesar --lines -j1 2>&1 >/dev/null | cat";
    let ended = Cipher::shell(script).stdin("some line\n".repeat(50_000)).run().exits(0);
    assert_eq!(ended.text(), audit_event("encrypt", "some line").repeat(50_000));
}

#[test]
fn json_events_have_all_members() {
    let component = guests::directory().join("Fickle.wasm");
    let digest: String =
        Sha256::digest(fs::read(component).expect("it was assembled")).iter().map(|b| format!("{b:02x}")).collect();
    let cipher = with_guests(&["encrypt", "fickle", "--lines", "--audit-format", "json", "-j1"])
        .stdin("one\n\u{1b}[2J\"two\"\\ \u{202e}\n!\n");
    let ended = cipher.run().exits(3).prints("one\n\u{1b}[2J\"two\"\\ \u{202e}\n");
    let stderr = String::from_utf8(ended.stderr).expect("it is text");
    let lines = stderr.lines().filter(|line| line.contains("\"event\":"));
    let details = ["one", "\u{1b}[2J\"two\"\\ \u{202e}", "!"];
    assert_eq!(lines.clone().count(), details.len());
    for ((line, detail), number) in lines.zip(details).zip(1..) {
        assert!(!line.contains(['\u{1b}', '\u{202e}']), "a terminal would obey {line:?}");
        let mut value: Value = serde_json::from_str(line).expect("an event is JSON");
        let members = value.as_object_mut().expect("it is an object");
        let [time, process, _] = ["time", "process", "sequence"].map(|name| members.remove(name).expect("it is there"));
        let time = time.as_str().expect("a time is text").to_owned();
        assert!(humantime::parse_rfc3339(&time).is_ok() && process.is_u64(), "{time} {process}");
        let expected = json!({
            "guest": "Fickle",
            "component": format!("sha256:{digest}"),
            "record": number,
            "event": { "action": "trying", "detail": detail },
        });
        assert_eq!(value, expected);
    }
}

#[test]
fn text_event_cannot_be_forged() {
    let forged = "x\n[AUDIT] Action: encrypt | Detail: Length: 1\u{1b}[2K";
    let shown = r"x\n[AUDIT] Action: encrypt | Detail: Length: 1\u{1b}[2K";
    let ended = with_guests(&["encrypt", "Fickle", forged]).run().exits(0);
    ended.prints(format!("{forged}\n")).says(&format!("[AUDIT] Action: trying | Detail: {shown}\n"));
}

#[test]
fn keeps_events_of_failed_call() {
    let ended = with_guests(&["encrypt", "Fickle", "!"]).run().prints("");
    assert!(ended.audit_events().starts_with("[AUDIT] Action: trying | Detail: !\n"));
    assert!(ended.diagnostics().starts_with("error: Fickle trapped: "), "{}", ended.diagnostics());
}

#[test]
fn keeps_events_of_failed_stream() {
    let right = fs::read_to_string("tests/conformance/right.wat").expect("it can be read");
    let update = r#"(func (export "update") (param $message i32) (param $text i32) (param $length i32) (result i32)"#;
    assert!(right.contains(update));
    let failing = right.replace(update, &format!("{update} (call $report (i32.const 0) (i32.const 5)) (unreachable)"));
    let component = wat::parse_str(failing).expect("it is a component");
    let cipher = Cipher::new(["encrypt", "./failing.wasm"]).file("failing.wasm", component);
    let ended = cipher.stdin("x".repeat(2 << 20)).run().prints("");
    assert!(
        ended.audit_events().starts_with("[AUDIT] Action: encrypt | Detail: Length: 5\n"),
        "{}",
        ended.audit_events()
    );
    assert_eq!(ended.diagnostics(), "error: failing trapped: it reached code marked as unreachable\n");
}

#[test]
fn appends_to_audit_file() {
    let cipher = Cipher::new(["encrypt", "Caesar", "Hello", "--audit-file", "audit.log"]).file("audit.log", "before\n");
    cipher.run().exits(0).prints("Khoor\n").says("");
    cipher.run().exits(0).prints("Khoor\n").says("");
    assert_eq!(cipher.read("audit.log"), format!("before\n{0}{0}", audit_event("encrypt", "Hello")));
}

#[test]
fn begins_new_line_after_torn_one() {
    let cipher = Cipher::new(["encrypt", "Caesar", "Hello", "--audit-file", "audit.log"]);
    let cipher = cipher.file("audit.log", "[AUDIT] Action: encr");
    cipher.run().exits(0).prints("Khoor\n").says("");
    cipher.run().exits(0).prints("Khoor\n").says("");
    assert_eq!(cipher.read("audit.log"), format!("[AUDIT] Action: encr\n{0}{0}", audit_event("encrypt", "Hello")));
}

#[test]
fn follows_rotated_audit_file() {
    let cipher = Cipher::new(["encrypt", "Caesar", "--lines", "-j1", "--audit-file", "audit.log"]);
    let folder = cipher.directory().to_owned();
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("it was written");
    let mut running = cipher.start();
    running.write("one\n");
    assert_eq!(running.line(), "rqh\n");
    fs::rename(folder.join("audit.log"), folder.join("audit.log.1")).expect("it can be moved");
    running.write("three\n");
    assert_eq!(running.line(), "wkuhh\n");
    assert_eq!(
        (read("audit.log.1"), read("audit.log")),
        (audit_event("encrypt", "one"), audit_event("encrypt", "three"))
    );
    running.end().exits(0).says("");
}

#[test]
fn creates_audit_file_for_owner_only() {
    let cipher = Cipher::shell("umask 0; cipher encrypt Caesar Hello --audit-file audit.log; stat -c %a audit.log");
    cipher.run().exits(0).prints("Khoor\n600\n");
}

#[test]
fn rejects_unopenable_audit_file() {
    let ended = Cipher::new(["encrypt", "Caesar", "Hello", "--audit-file", "no/such/folder"]).run();
    let error = "error: cannot open the audit file 'no/such/folder': No such file or directory (os error 2)\n";
    ended.exits(6).prints("").says(error);
}

#[test]
fn gives_up_on_fifo_without_reader() {
    let cipher = Cipher::shell("mkfifo fifo && cipher encrypt Caesar Hello --audit-file fifo");
    let error = "cannot open the audit file 'fifo': no process reads this FIFO; start its reader first";
    cipher.run().exits(6).prints("").says(&format!("error: {error}\n"));
    let read = "mkfifo fifo; exec 3<>fifo; cipher encrypt Caesar Hello --audit-file fifo; head -n 1 fifo";
    let ended = Cipher::shell(read).run().exits(0);
    assert!(
        ended.text().contains(&audit_event("encrypt", "Hello")) && ended.text().contains("Khoor\n"),
        "{}",
        ended.text()
    );
}

#[test]
fn quiet_drops_events_on_stderr_only() {
    for arguments in [&["-q"][..], &["--quiet", "--audit-file", "-"], &["-q", "--audit-format", "json"]] {
        let cipher = Cipher::new(["encrypt", "Caesar", "Hello"]).args(arguments);
        cipher.run().exits(0).prints("Khoor\n").says("");
        assert!(!cipher.directory().join("-").exists());
    }
    Cipher::shell("cipher encrypt Caesar Hello -q 2>&-").run().exits(0).prints("Khoor\n");
    let cipher = Cipher::new(["encrypt", "Caesar", "Hello", "-q", "--audit-file", "audit.log"]);
    cipher.run().exits(0).prints("Khoor\n").says("");
    assert_eq!(cipher.read("audit.log"), audit_event("encrypt", "Hello"));
    let lines = Cipher::new(["encrypt", "Caesar", "--lines", "-q", "-j2"]).stdin("Hello\n".repeat(1000));
    lines.run().exits(0).prints("Khoor\n".repeat(1000)).says("");
}

#[test]
fn environment_sets_audit_defaults() {
    let call = || Cipher::new(["encrypt", "Caesar", "Hello"]);
    let cipher = call().env("CIPHER_AUDIT_FILE", "from-environment").env("CIPHER_AUDIT_FORMAT", "JSON");
    cipher.run().exits(0).prints("Khoor\n").says("");
    assert!(cipher.read("from-environment").starts_with("{\"time\":"));
    let overridden = cipher.args(["--audit-file", "-", "--audit-format", "text"]).run();
    overridden.exits(0).prints("Khoor\n").says(&audit_event("encrypt", "Hello"));
    let unset = call().env("CIPHER_AUDIT_FILE", "").env("CIPHER_AUDIT_FORMAT", "");
    unset.run().exits(0).says(&audit_event("encrypt", "Hello"));
    let error = "error: CIPHER_AUDIT_FORMAT must be 'text' or 'json', not 'xml'\n";
    call().env("CIPHER_AUDIT_FORMAT", "xml").run().exits(2).prints("").says(error);
}

#[test]
fn concurrent_writers_share_one_file() {
    const WRITERS: usize = 6;
    const RECORDS: usize = 20_000;
    let shared = new_directory();
    let file = shared.path().join("audit.log");
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let cipher = Cipher::new(["encrypt", "Caesar", "--lines", "-j", if writer % 2 == 0 { "1" } else { "2" }])
                .args(["--audit-file".as_ref(), file.as_os_str()])
                .stdin(format!("{}\n", "x".repeat(writer)).repeat(RECORDS));
            scope.spawn(move || cipher.run_into(Stdio::null(), Stdio::piped()).exits(0).says(""));
        }
    });
    let text = fs::read_to_string(file).expect("they wrote it");
    for writer in 0..WRITERS {
        let line = audit_event("encrypt", &"x".repeat(writer));
        assert_eq!(text.split_inclusive('\n').filter(|other| *other == line).count(), RECORDS);
    }
}

#[test]
fn failed_call_leaves_event() {
    let failing =
        |arguments: &[&str]| with_guests(&[&["encrypt", "Fickle"], arguments].concat()).stdin("a\n!\nb\n").run();
    let reason = "Fickle trapped: it reached code marked as unreachable";
    let failed = format!("[AUDIT] Failed: encrypt | Reason: {reason}\n");
    let one = failing(&["!"]).prints("");
    let expected = format!("[AUDIT] Action: trying | Detail: !\n{failed}error: ");
    assert!(String::from_utf8_lossy(&one.stderr).starts_with(&expected));
    let records = failing(&["--lines", "-j1"]);
    assert_eq!(String::from_utf8_lossy(&records.stderr).matches(&failed).count(), 1);
    assert!(failing(&["x", "-q"]).exits(0).stderr.is_empty());

    let json = failing(&["--lines", "-j1", "--audit-format", "json"]);
    let lines = String::from_utf8(json.stderr).expect("it is text");
    let calls: Vec<Value> = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let outcomes: Vec<_> = calls.iter().filter_map(|call| call["call"]["outcome"].as_str()).collect();
    assert_eq!((outcomes.len(), outcomes[0], outcomes[2]), (3, "ok", "ok"));
    assert_ne!(outcomes[1], "ok");
    assert!(calls.iter().any(|call| call["call"]["reason"] == reason), "{lines}");
}

#[test]
fn silent_call_leaves_json_event() {
    let ended = with_guests(&["encrypt", "Echo", "x", "--audit-format", "json"]).run().exits(0).prints("x\n");
    let call: Value = serde_json::from_slice(&ended.stderr).expect("one event");
    assert_eq!(call["call"], json!({ "operation": "encrypt", "outcome": "ok" }));
    let large = "x".repeat(2 << 20);
    let right = wat::parse_file("tests/conformance/right.wat").expect("it is a component");
    let streamed = Cipher::new(["encrypt", "./right.wasm", "--audit-format", "json"]).file("right.wasm", right);
    let ended = streamed.stdin(large).run().exits(0);
    assert_eq!(String::from_utf8_lossy(&ended.stderr).matches("\"outcome\":\"ok\"").count(), 1);
}

#[test]
fn batch_events_have_request_id() {
    let requests =
        "{\"id\":{\"a\":[1]},\"message\":\"x\",\"algorithm\":\"Echo\"}\n{\"message\":\"y\",\"algorithm\":\"Echo\"}\n";
    let ended = with_guests(&["batch", "--audit-format", "json", "-j1"]).stdin(requests).run().exits(0);
    let stderr = String::from_utf8(ended.stderr).expect("it is text");
    let calls: Vec<Value> = stderr.lines().map(|line| serde_json::from_str(line).expect("an event is JSON")).collect();
    assert_eq!((&calls[0]["id"], calls[1].get("id")), (&json!({ "a": [1] }), None));
}
