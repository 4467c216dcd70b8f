//! `cipher batch`: JSON Lines in and out.

use serde_json::{Value, json};

use crate::guests;
use crate::harness::{Cipher, Ended, entry, same};

fn batch(lines: &str) -> Ended {
    Cipher::new(["batch"]).stdin(lines).run()
}

/// Expects that a single bad request is answered with `error`.
#[track_caller]
fn refused(line: &str, error: &str) {
    let ended = batch(&format!("{line}\n")).exits(1);
    let answer: Value = serde_json::from_str(ended.text()).expect("an answer is JSON");
    assert_eq!(answer["error"], format!("line 1: {error}"), "{line}");
    assert_eq!(ended.complaints(), "error: 1 of 1 records failed\n");
}

#[test]
fn requests_are_answered_line_by_line_whichever_order_the_algorithms_come_in() {
    let ended = batch(concat!(
        r#"{"message":"Hello, World!","algorithm":"Caesar"}"#,
        "\n",
        r#"{"message":"Hello, World!","algorithm":"Vigenere","operation":"encrypt"}"#,
        "\n",
        r#"{"message":"Khoor, Zruog!","algorithm":"caesar","operation":"decrypt"}"#,
        "\r\n",
        r#"{"message":"LXFOPVEFRNHR","algorithm":"VIGENERE","operation":"decrypt","settings":{"VIGENERE_KEYWORD":"LEMON"}}"#,
        "\n",
        r#" { "message" : "" , "algorithm" : "Caesar" } "#,
    ));
    ended
        .exits(0)
        .prints(concat!(
            r#"{"result":"Khoor, Zruog!"}"#,
            "\n",
            r#"{"result":"Dedxk, Wgdhd!"}"#,
            "\n",
            r#"{"result":"Hello, World!"}"#,
            "\n",
            r#"{"result":"ATTACKATDAWN"}"#,
            "\n",
            r#"{"result":""}"#,
            "\n",
        ))
        .says(
            &[
                entry("encrypt", "Hello, World!").repeat(2),
                entry("decrypt", "Hello, World!"),
                entry("decrypt", "ATTACKATDAWN"),
                entry("encrypt", ""),
            ]
            .concat(),
        );
}

#[test]
fn settings_hold_for_their_request_alone() {
    let request =
        |shift: i32| format!(r#"{{"message":"abc","algorithm":"Caesar","settings":{{"SHIFT_AMOUNT":"{shift}"}}}}"#);
    let lines = [request(1), request(2), r#"{"message":"abc","algorithm":"Caesar"}"#.to_owned(), request(1)].join("\n");
    let expected = ["bcd", "cde", "hij", "bcd"].map(|result| format!("{{\"result\":\"{result}\"}}\n")).concat();
    for options in [vec!["-j1"], vec!["-j2"], vec!["-j1", "--isolate"]] {
        let cipher = Cipher::new(["batch"]).args(options).env("SHIFT_AMOUNT", "7").stdin(lines.as_bytes());
        cipher.run().exits(0).prints(&expected);
    }
}

#[test]
fn an_id_comes_back_as_it_came() {
    for id in [
        "null",
        "7",
        "1.50",
        "-0.0e0",
        "123456789012345678901234567890",
        r#""a\u0041\/""#,
        r#"{ "b": [1, {}], "a": null }"#,
    ] {
        let ended = batch(&format!(r#"{{"id":{id},"message":"abc","algorithm":"Caesar"}}"#));
        ended.exits(0).prints(format!("{{\"id\":{id},\"result\":\"def\"}}\n"));
        let ended = batch(&format!(r#"{{"algorithm":"Caesar","id":{id}}}"#)).exits(1);
        assert!(ended.text().starts_with(&format!("{{\"id\":{id},\"error\":\"line 1: ")), "{}", ended.text());
    }
}

#[test]
fn results_are_json_whatever_the_text() {
    let text = "quote \" backslash \\ controls \u{0}\u{1f}\u{7f} lines \n\r\u{2028} 日本 🎉 \u{10ffff}";
    let request = json!({ "message": text, "algorithm": "Caesar", "settings": { "SHIFT_AMOUNT": "0" } });
    let ended = batch(&request.to_string()).exits(0);
    assert_eq!(ended.text().matches('\n').count(), 1);
    assert_eq!(serde_json::from_str::<Value>(ended.text()).expect("it is JSON"), json!({ "result": text }));
    batch(r#"{"message":"\ud83c\udf89 \u0061","algorithm":"Caesar"}"#).exits(0).prints("{\"result\":\"🎉 d\"}\n");
}

#[test]
fn a_bad_line_costs_only_itself_and_makes_the_exit_status_1_at_the_end() {
    let good = r#"{"message":"abc","algorithm":"Caesar"}"#;
    let ended = batch(&format!("{good}\nnot JSON\n{good}\n\n{good}")).exits(1);
    let answers: Vec<&str> = ended.text().lines().collect();
    assert_eq!(answers.len(), 5);
    for number in [0, 2, 4] {
        assert_eq!(answers[number], r#"{"result":"def"}"#);
    }
    assert!(answers[1].starts_with(r#"{"error":"line 2: "#), "{}", answers[1]);
    assert!(answers[3].starts_with(r#"{"error":"line 4: "#), "{}", answers[3]);
    assert_eq!(ended.complaints(), "error: 2 of 5 records failed\n");
    assert_eq!(ended.entries(), entry("encrypt", "abc").repeat(3));
}

#[test]
fn a_bad_line_is_told_what_is_wrong_with_it() {
    refused("", "EOF while parsing a value (column 0)");
    refused("Hello", "expected value (column 1)");
    refused(r#"{"message":"m","algorithm":"Caesar"} {}"#, "trailing characters (column 38)");
    refused(r#"{"message":"m"}"#, "missing field `algorithm` (column 15)");
    refused(r#"{"algorithm":"Caesar"}"#, "missing field `message` (column 22)");
    refused(r#"{"message":7,"algorithm":"Caesar"}"#, "invalid type: integer `7`, expected a string (column 12)");
    refused(r#"{"message":null,"algorithm":"Caesar"}"#, "invalid type: null, expected a string (column 15)");
    refused(r#"{"message":"m","algorithm":["Caesar"]}"#, "invalid type: sequence, expected a string (column 27)");
    refused(r#"{"message":"m","message":"n","algorithm":"Caesar"}"#, "duplicate field `message` (column 24)");
    refused(
        r#"{"message":"m","algorithm":"Caesar","operation":"sign"}"#,
        "unknown variant `sign`, expected `encrypt` or `decrypt` (column 54)",
    );
    refused(
        r#"{"message":"m","algorithm":"Caesar","key":"k"}"#,
        "unknown field `key`, expected one of `message`, `algorithm`, `operation`, `id`, `settings` (column 41)",
    );
    refused(
        r#"{"message":"m","algorithm":"Caesar","settings":{"SHIFT_AMOUNT":5}}"#,
        "invalid type: integer `5`, expected a string (column 64)",
    );
    refused(
        r#"{"message":"m","algorithm":"Caesar","settings":{"SHIFT_AMOUNT":"1","SHIFT_AMOUNT":"2"}}"#,
        "duplicate setting `SHIFT_AMOUNT` (column 86)",
    );
    refused(
        r#"{"message":"m","algorithm":"Caesar","settings":{"SHIFT_AMOUNT":"1\u0000"}}"#,
        "a setting cannot contain a NUL character (column 73)",
    );
    refused(r#"{"message":"\ud800","algorithm":"Caesar"}"#, "unexpected end of hex escape (column 19)");
    refused(r#"{"message":"\ud800\u0041","algorithm":"Caesar"}"#, "lone leading surrogate in hex escape (column 24)");
    refused(r#"{"message":"\udc00","algorithm":"Caesar"}"#, "lone leading surrogate in hex escape (column 18)");
    refused(
        "{\"message\":\"a\tb\",\"algorithm\":\"Caesar\"}",
        "control character (\\u0000-\\u001F) found while parsing a string (column 14)",
    );
}

#[test]
fn a_request_is_an_object_and_nothing_else() {
    for line in ["{}", "null", "7", "\"Caesar\"", "[]", r#"["abc","Caesar"]"#, r#"["abc","Caesar","encrypt",1,{}]"#] {
        let ended = batch(line).exits(1);
        assert!(ended.text().starts_with(r#"{"error":"line 1: "#), "{line} was answered with {}", ended.text());
        assert_eq!(ended.entries(), "", "{line}");
    }
}

#[test]
fn a_line_that_is_not_utf8_costs_only_itself() {
    let mut lines = b"{\"message\":\"\xff\",\"algorithm\":\"Caesar\"}\n".to_vec();
    lines.extend(b"{\"message\":\"abc\",\"algorithm\":\"Caesar\"}\n");
    let ended = Cipher::new(["batch"]).stdin(lines).run().exits(1);
    let answers: Vec<&str> = ended.text().lines().collect();
    assert!(answers[0].starts_with(r#"{"error":"line 1: "#), "{}", answers[0]);
    assert_eq!(answers[1], r#"{"result":"def"}"#);
}

#[test]
fn a_request_that_the_guest_or_the_catalog_refuses_is_told_as_for_a_single_call() {
    refused(
        r#"{"message":"m","algorithm":"Ceasar"}"#,
        "unknown algorithm 'Ceasar'; did you mean 'Caesar'? (there are: Caesar, Vigenere)",
    );
    refused(
        r#"{"message":"m","algorithm":"Caesar","settings":{"SHIFT_AMOUNT":"x"}}"#,
        "Caesar failed: SHIFT_AMOUNT must be a whole number, not \"x\"",
    );
    refused(
        r#"{"message":"m","algorithm":"Caesar","settings":{"SHIFT":"1"}}"#,
        "Caesar has no setting \"SHIFT\"; it has: SHIFT_AMOUNT",
    );
}

#[test]
fn a_request_cannot_name_a_component_by_its_path() {
    for path in ["./Caesar.wasm", "/tmp/Caesar.wasm", "Caesar.wasm", "../Caesar"] {
        let request = json!({ "message": "m", "algorithm": path }).to_string();
        refused(&request, &format!("algorithm: {path:?} is a path; a request can only name a guest of the catalog"));
    }
}

#[test]
fn fail_fast_stops_after_the_first_bad_line() {
    let good = "{\"message\":\"abc\",\"algorithm\":\"Caesar\"}\n";
    for jobs in ["-j1", "-j2", "-j8"] {
        let lines = format!("{good}bad\n{}", good.repeat(20_000));
        let ended = Cipher::new(["batch", "--fail-fast", jobs]).stdin(lines).run().exits(1);
        let answers: Vec<&str> = ended.text().lines().collect();
        assert_eq!(answers.len(), 2);
        assert_eq!(answers[0], r#"{"result":"def"}"#);
        assert!(answers[1].starts_with(r#"{"error":"line 2: "#));
        assert_eq!(ended.complaints(), "error: 1 of 2 records failed\n");
    }
}

#[test]
fn a_trap_costs_only_its_request() {
    let request = |message: &str| json!({ "message": message, "algorithm": "Fickle" }).to_string();
    let lines = [request("one"), request("!"), request("three")].join("\n");
    for jobs in ["-j1", "-j2"] {
        let ended =
            Cipher::new(["batch", jobs]).env("CIPHER_GUESTS", guests::directory()).stdin(lines.as_bytes()).run();
        ended.exits(1).prints(concat!(
            r#"{"result":"one"}"#,
            "\n",
            r#"{"error":"line 2: Fickle trapped: it reached code marked as unreachable"}"#,
            "\n",
            r#"{"result":"three"}"#,
            "\n",
        ));
    }
}

#[test]
fn requests_come_from_a_file_too() {
    let cipher =
        Cipher::new(["batch", "requests.jsonl"]).file("requests.jsonl", r#"{"message":"abc","algorithm":"Caesar"}"#);
    cipher.stdin("this is not read").run().exits(0).prints("{\"result\":\"def\"}\n");
}

#[test]
fn a_file_with_requests_that_cannot_be_read_is_an_error() {
    let missing = "error: cannot read 'missing.jsonl': No such file or directory (os error 2)\n";
    Cipher::new(["batch", "missing.jsonl"]).run().exits(1).prints("").says(missing);
    Cipher::new(["batch", "/"]).run().exits(1).prints("").says("error: cannot read '/': it is a directory\n");
}

#[test]
fn nothing_asked_is_nothing_answered() {
    batch("").exits(0).prints("").says("");
}

#[test]
fn requests_in_several_jobs_are_answered_in_order() {
    let lines: String = (0..20_000)
        .map(|number| {
            let algorithm = if number % 100 == 0 { "Vigenere" } else { "Caesar" };
            format!(
                "{{\"id\":{number},\"message\":\"{}\",\"algorithm\":\"{algorithm}\"}}\n",
                "x".repeat(number * 31 % 90)
            )
        })
        .collect();
    let run = |jobs| Cipher::new(["batch", "-j", jobs]).stdin(lines.as_bytes()).run().exits(0);
    let alone = run("1");
    for (number, line) in alone.text().lines().enumerate() {
        assert!(line.starts_with(&format!("{{\"id\":{number},\"result\":")), "{line}");
    }
    for _ in 0..5 {
        for jobs in ["2", "8"] {
            let together = run(jobs);
            same(&together.stdout, &alone.stdout);
            same(together.entries(), alone.entries());
        }
    }
}
