//! `cipher batch`: JSON Lines in and out.

use serde_json::{Value, json};

use crate::guests;
use crate::harness::{Cipher, Ended, audit_event, same};

fn batch(lines: &str) -> Ended {
    Cipher::new(["batch"]).stdin(lines).run()
}

/// Expects that a single request fails with this kind and error.
#[track_caller]
fn fails(line: &str, kind: &str, error: &str) {
    let ended = batch(&format!("{line}\n")).exits(3);
    let answer: Value = serde_json::from_str(ended.text()).expect("an answer is JSON");
    assert_eq!(answer["kind"], kind, "{line}");
    assert_eq!(answer["error"], error, "{line}");
    assert_eq!(answer["line"], 1, "{line}");
    assert_eq!(ended.diagnostics(), "error: 1 of 1 records failed\n");
}

#[test]
fn answers_requests_in_order() {
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
                audit_event("encrypt", "Hello, World!").repeat(2),
                audit_event("decrypt", "Hello, World!"),
                audit_event("decrypt", "ATTACKATDAWN"),
                audit_event("encrypt", ""),
            ]
            .concat(),
        );
}

#[test]
fn applies_settings_to_one_request() {
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
fn copies_ids_verbatim() {
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
        let ended = batch(&format!(r#"{{"algorithm":"Caesar","id":{id}}}"#)).exits(3);
        assert!(ended.text().starts_with(&format!("{{\"id\":{id},\"line\":1,")), "{}", ended.text());
    }
}

#[test]
fn escapes_results() {
    let text = "quote \" backslash \\ controls \u{0}\u{1f}\u{7f} lines \n\r\u{2028} 日本 🎉 \u{10ffff}";
    let request = json!({ "message": text, "algorithm": "Caesar", "settings": { "SHIFT_AMOUNT": "0" } });
    let ended = batch(&request.to_string()).exits(0);
    assert_eq!(ended.text().matches('\n').count(), 1);
    assert_eq!(serde_json::from_str::<Value>(ended.text()).expect("it is JSON"), json!({ "result": text }));
    batch(r#"{"message":"\ud83c\udf89 \u0061","algorithm":"Caesar"}"#).exits(0).prints("{\"result\":\"🎉 d\"}\n");
}

#[test]
fn skips_bad_requests() {
    let good = r#"{"message":"abc","algorithm":"Caesar"}"#;
    let ended = batch(&format!("{good}\nnot JSON\n{good}\n7\n{good}")).exits(3);
    let bad = |line, error| format!("{{\"line\":{line},\"kind\":\"bad-request\",\"error\":\"{error}\"}}\n");
    let result = "{\"result\":\"def\"}\n";
    let (two, four) = (bad(2, "not valid JSON at column 2"), bad(4, "a request must be a JSON object"));
    let ended = ended.prints([result, &two, result, &four, result].concat());
    assert_eq!(ended.diagnostics(), "error: 2 of 5 records failed\n");
    assert_eq!(ended.audit_events(), audit_event("encrypt", "abc").repeat(3));
}

#[test]
fn explains_bad_requests() {
    let bad = |line, error| fails(line, "bad-request", error);
    bad("Hello", "not valid JSON at column 1");
    bad(r#"{"message":"m","#, "not valid JSON: the line ends too early");
    bad(r#"{"message":"m","algorithm":"Caesar"} {}"#, "not valid JSON at column 38");
    bad(r#"{"message":"m"}"#, "\"algorithm\" is missing; add it, or use --algorithm");
    bad(r#"{"algorithm":"Caesar"}"#, "\"message\" is missing");
    bad(r#"{"message":7,"algorithm":"Caesar"}"#, "\"message\" must be a string, not a number");
    bad(r#"{"message":null,"algorithm":"Caesar"}"#, "\"message\" must be a string, not null");
    bad(r#"{"message":"m","algorithm":["Caesar"]}"#, "\"algorithm\" must be a string, not an array");
    bad(r#"{"message":"m","message":"n","algorithm":"Caesar"}"#, "duplicate member \"message\"");
    bad(
        r#"{"message":"m","algorithm":"Caesar","operation":"sign"}"#,
        "\"operation\" must be \"encrypt\" or \"decrypt\", not \"sign\"",
    );
    bad(
        r#"{"message":"m","algorithm":"Caesar","operation":"Encrypt"}"#,
        "\"operation\" must be \"encrypt\" or \"decrypt\", not \"Encrypt\"; did you mean \"encrypt\"?",
    );
    bad(
        r#"{"message":"m","algorithm":"Caesar","key":"k"}"#,
        "unknown member \"key\" (known: message, algorithm, operation, id, settings); \
         --pass-through copies other members to the answer",
    );
    bad(r#"{"message":"m","algorithm":"Caesar","settings":[]}"#, "\"settings\" must be an object, not an array");
    bad(
        r#"{"message":"m","algorithm":"Caesar","settings":{"SHIFT_AMOUNT":null}}"#,
        "setting \"SHIFT_AMOUNT\" must be a string, a number or a boolean, not null",
    );
    bad(
        r#"{"message":"m","algorithm":"Caesar","settings":{"SHIFT_AMOUNT":"1","SHIFT_AMOUNT":"2"}}"#,
        "duplicate setting \"SHIFT_AMOUNT\"",
    );
    bad(
        r#"{"message":"m","algorithm":"Caesar","settings":{"SHIFT_AMOUNT":"1\u0000"}}"#,
        "setting \"SHIFT_AMOUNT\" contains a NUL character",
    );
    let surrogate = "\"message\" contains a lone surrogate, which is not a character";
    bad(r#"{"message":"\ud800","algorithm":"Caesar"}"#, surrogate);
    bad(r#"{"message":"\ud800\u0041","algorithm":"Caesar"}"#, surrogate);
    bad(r#"{"message":"\udc00","algorithm":"Caesar"}"#, surrogate);
    bad("{\"message\":\"a\tb\",\"algorithm\":\"Caesar\"}", "not valid JSON at column 13");
}

#[test]
fn accepts_only_objects() {
    for line in ["{}", "null", "7", "\"Caesar\"", "[]", r#"["abc","Caesar"]"#, r#"["abc","Caesar","encrypt",1,{}]"#] {
        let ended = batch(line).exits(3);
        assert!(ended.text().starts_with(r#"{"line":1,"kind":"bad-request","#), "{line}: {}", ended.text());
        assert_eq!(ended.audit_events(), "", "{line}");
    }
}

#[test]
fn skips_invalid_utf8() {
    let mut lines = b"{\"message\":\"\xff\",\"algorithm\":\"Caesar\"}\n".to_vec();
    lines.extend(b"{\"message\":\"abc\",\"algorithm\":\"Caesar\"}\n");
    let ended = Cipher::new(["batch"]).stdin(lines).run().exits(3);
    ended.prints(concat!(
        r#"{"line":1,"kind":"not-utf8","error":"not valid UTF-8: byte 0xff at offset 12"}"#,
        "\n",
        r#"{"result":"def"}"#,
        "\n",
    ));
}

#[test]
fn reports_failures_of_guests_and_catalog() {
    let fails = |line: &str, kind: &str, start: &str| {
        let ended = batch(line).exits(3);
        let answer: Value = serde_json::from_str(ended.text()).expect("an answer is JSON");
        assert!(answer["error"].as_str().expect("it is text").starts_with(start), "{answer}");
        if !kind.is_empty() {
            assert_eq!(answer["kind"], kind);
        }
    };
    fails(r#"{"message":"m","algorithm":"Ceasar"}"#, "", "unknown algorithm 'Ceasar'");
    let wrong = r#"{"message":"m","algorithm":"Caesar","settings":{"SHIFT_AMOUNT":"x"}}"#;
    fails(wrong, "", "Caesar failed: SHIFT_AMOUNT must be a whole number");
    fails(r#"{"message":"m","algorithm":"Caesar","settings":{"SHIFT":"1"}}"#, "", "Caesar has no setting 'SHIFT'");
    for path in ["./Caesar.wasm", "/tmp/Caesar.wasm", "Caesar.wasm", "../Caesar"] {
        let request = json!({ "message": "m", "algorithm": path }).to_string();
        fails(&request, "unknown-algorithm", &format!("\"{path}\" is a path"));
    }
}

#[test]
fn skips_blank_lines_and_bom() {
    let request = r#"{"message":"abc","algorithm":"Caesar"}"#;
    let ended = batch(&format!("\u{feff}{request}\n\n \t\r\n{request}\nx\n\n"));
    let ended = ended.exits(3).prints(concat!(
        "{\"result\":\"def\"}\n{\"result\":\"def\"}\n",
        "{\"line\":5,\"kind\":\"bad-request\",\"error\":\"not valid JSON at column 1\"}\n"
    ));
    assert_eq!(ended.diagnostics(), "error: 1 of 3 records failed\n");
}

#[test]
fn accepts_plain_values() {
    batch(concat!(
        r#"{"message":"abc","algorithm":"Caesar","settings":{"SHIFT_AMOUNT":5},"id":7}"#,
        "\n",
        r#"{"message":"abc","algorithm":"Caesar","operation":null,"settings":null,"id":3}"#,
    ))
    .exits(0)
    .prints("{\"id\":7,\"result\":\"fgh\"}\n{\"id\":3,\"result\":\"def\"}\n");
}

#[test]
fn takes_defaults_from_options() {
    let defaults = ["batch", "--algorithm", "caesar", "--operation", "decrypt", "--set", "SHIFT_AMOUNT=1"];
    let requests = concat!(
        r#"{"message":"bcd"}"#,
        "\n",
        r#"{"message":"bcd","operation":"encrypt","settings":{"SHIFT_AMOUNT":2}}"#,
        "\n",
        r#"{"message":"LXFOPV","algorithm":"Vigenere","settings":{"VIGENERE_KEYWORD":"LEMON"}}"#,
        "\n",
    );
    let ended = Cipher::new(defaults).stdin(requests).run();
    ended.exits(0).prints("{\"result\":\"abc\"}\n{\"result\":\"def\"}\n{\"result\":\"ATTACK\"}\n");
    let each = "{\"message\":\"abc\",\"algorithm\":\"Caesar\"}\n{\"message\":\"abc\",\"algorithm\":\"Echo\"}\n";
    let ended = Cipher::new(["batch", "--set", "SHIFT_AMOUNT=1"]).env("CIPHER_GUESTS", guests::directory()).stdin(each);
    ended.run().exits(0).prints("{\"result\":\"bcd\"}\n{\"result\":\"abc\"}\n");
}

#[test]
fn refuses_unusable_defaults_first() {
    for (options, status, error) in [
        (&["--set", "SHIFT=1"][..], 5, "no available algorithm has such a setting; 'cipher list' shows all"),
        (&["--algorithm", "Caesar", "--set", "KEY=1"], 5, "Caesar has no setting 'KEY' (available: SHIFT_AMOUNT)"),
        (
            &["--algorithm", "Ceasar"],
            4,
            "unknown algorithm 'Ceasar' (available: Caesar, Vigenere); did you mean 'Caesar'?",
        ),
        (&["--algorithm", "./x.wasm"], 4, "--algorithm takes a name, not the path './x.wasm' (see 'cipher list')"),
    ] {
        let cipher = Cipher::new(["batch"]).args(options).stdin("{\"message\":\"abc\",\"algorithm\":\"Caesar\"}\n");
        cipher.run().exits(status).prints("").says(&format!("error: {error}\n"));
    }
}

#[test]
fn passes_unknown_members_through() {
    let requests = concat!(
        r#"{"row":1,"id":2,"message":"abc","algorithm":"Caesar","note":{"a": [null]}}"#,
        "\n",
        r#"{"row":2,"algorithm":"Caesar"}"#,
        "\n",
        r#"{"row":3,"message":"abc","algorithm":"Caesar","result":1}"#,
    );
    let ended = Cipher::new(["batch", "--pass-through"]).stdin(requests).run().exits(3);
    ended.prints(concat!(
        r#"{"id":2,"row":1,"note":{"a": [null]},"result":"def"}"#,
        "\n",
        r#"{"row":2,"line":2,"kind":"bad-request","error":"\"message\" is missing"}"#,
        "\n",
        r#"{"row":3,"line":3,"kind":"bad-request","#,
        r#""error":"cannot copy \"result\" to the answer, which has its own member of that name"}"#,
        "\n",
    ));
}

#[test]
fn stops_at_first_failure() {
    let good = "{\"message\":\"abc\",\"algorithm\":\"Caesar\"}\n";
    for jobs in ["-j1", "-j2", "-j8"] {
        let lines = format!("{good}bad\n{}", good.repeat(20_000));
        let ended = Cipher::new(["batch", "--fail-fast", jobs]).stdin(lines).run().exits(3);
        let answers: Vec<&str> = ended.text().lines().collect();
        assert_eq!(answers.len(), 2);
        assert_eq!(answers[0], r#"{"result":"def"}"#);
        assert!(answers[1].starts_with(r#"{"line":2,"kind":"bad-request","#));
        assert_eq!(ended.diagnostics(), "error: stopped at record 2, which failed\n");
    }
}

#[test]
fn trap_fails_only_its_request() {
    let request = |message: &str| json!({ "message": message, "algorithm": "Fickle" }).to_string();
    let lines = [request("one"), request("!"), request("three")].join("\n");
    for jobs in ["-j1", "-j2"] {
        let ended =
            Cipher::new(["batch", jobs]).env("CIPHER_GUESTS", guests::directory()).stdin(lines.as_bytes()).run();
        let ended = ended.exits(3);
        let answers: Vec<Value> = ended.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!((&answers[0]["result"], &answers[2]["result"]), (&json!("one"), &json!("three")));
        assert_eq!(answers[1]["error"], "Fickle trapped: it reached code marked as unreachable");
    }
}

#[test]
fn reads_file() {
    let cipher =
        Cipher::new(["batch", "requests.jsonl"]).file("requests.jsonl", r#"{"message":"abc","algorithm":"Caesar"}"#);
    cipher.stdin("this is not read").run().exits(0).prints("{\"result\":\"def\"}\n");
}

#[test]
fn rejects_unreadable_files() {
    let missing = "error: cannot read 'missing.jsonl': No such file or directory (os error 2)\n";
    Cipher::new(["batch", "missing.jsonl"]).run().exits(6).prints("").says(missing);
    Cipher::new(["batch", "/"]).run().exits(6).prints("").says("error: cannot read '/': it is a directory\n");
}

#[test]
fn reads_several_files() {
    let request = |id: u32| format!("{{\"id\":{id},\"message\":\"abc\",\"algorithm\":\"Caesar\"}}");
    let answers =
        |ids: &[u32]| ids.iter().map(|id| format!("{{\"id\":{id},\"result\":\"def\"}}\n")).collect::<String>();
    let cipher = Cipher::new(["batch", "one", "two", "three"]);
    let cipher = cipher.file("one", request(1)).file("two", "").file("three", request(2) + "\n" + &request(3));
    cipher.run().exits(0).prints(answers(&[1, 2, 3]));
    Cipher::new(["batch", "-"]).stdin(request(4)).run().exits(0).prints(answers(&[4]));
}

#[test]
fn reads_pipes_and_fifos() {
    let request = r#"{"message":"abc","algorithm":"Caesar"}"#;
    let script = format!(
        "mkfifo one two; (echo '{request}' >one; echo '{request}' >two) & \
         cipher batch one two; cipher batch <(echo '{request}')"
    );
    let ended = Cipher::new(["-c", &script]).program("bash").run().exits(0);
    ended.prints("{\"result\":\"def\"}\n".repeat(3));
}

#[test]
fn bounds_names() {
    let long = "x".repeat(1 << 20);
    let name = json!({ "message": "m", "algorithm": long }).to_string();
    fails(&name, "unknown-algorithm", "the name of the algorithm is longer than 256 bytes");
    let setting = json!({ "message": "m", "algorithm": "Caesar", "settings": { &long: "1" } }).to_string();
    fails(&setting, "bad-request", "the name of a setting is longer than 256 bytes");
    for member in [json!({ &long: 1 }), json!({ "message": "m", "operation": &long })] {
        let ended = batch(&member.to_string()).exits(3);
        assert!(ended.stdout.len() < 1000, "{} bytes", ended.stdout.len());
    }
}

#[test]
fn loads_guest_once_for_all_spellings() {
    // Each spelling would otherwise map the guest's compiled code again.
    let spelling = |bits: usize| -> String {
        let letters = "vigenere".char_indices();
        letters.map(|(at, letter)| if bits >> at & 1 == 1 { letter.to_ascii_uppercase() } else { letter }).collect()
    };
    let requests: String =
        (0..256).map(|bits| json!({ "message": "m", "algorithm": spelling(bits) }).to_string() + "\n").collect();
    let cipher = Cipher::new(["-c", "ulimit -v 6000000; exec cipher batch -j1"]).program("sh");
    cipher.stdin(requests).run().exits(0).prints("{\"result\":\"i\"}\n".repeat(256));
}

#[test]
fn evicts_instances_of_much_memory() {
    // Each reserves 4 GiB, so four fit, but their 875 MiB do not fit into --max-memory twice.
    let guest = r#"(component
      (core module $code
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16))
        (func (export "call") (param i32 i32) (result i32)
          (if (i32.lt_s (memory.grow (i32.const 14000)) (i32.const 0)) (then (unreachable)))
          (i32.const 0)))
      (core instance $i (instantiate $code))
      (func $call (param "input" string) (result string)
        (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
      (export "encr" (func $call))
      (export "decr" (func $call)))"#;
    let manifest = "name = \"Hoard\"\ndescription = \"For a test\"\n[settings.ID]\nhelp = \"Any\"\n";
    let request = |id: usize| json!({ "algorithm": "Hoard", "message": "", "settings": { "ID": id } }).to_string();
    let cipher = Cipher::shell("ulimit -v 20000000; CIPHER_GUESTS=$PWD exec cipher batch -j1");
    let cipher = cipher.file("Hoard.wasm", wat::parse_str(guest).expect("it is valid")).file("Hoard.toml", manifest);
    let requests: Vec<String> = (0..8).map(request).collect();
    cipher.stdin(requests.join("\n")).run().exits(0).prints("{\"result\":\"\"}\n".repeat(8));
}

#[test]
fn keeps_instances_of_settings_that_return() {
    let opened = |shifts: Vec<u32>| {
        let request = |shift| json!({ "message": "a", "settings": { "SHIFT_AMOUNT": shift } }).to_string() + "\n";
        let requests: String = shifts.iter().map(request).collect();
        let cipher =
            Cipher::new(["batch", "-q", "-j1", "--algorithm", "Caesar"]).env("RUST_LOG", "info").stdin(requests);
        cipher.run().exits(0).diagnostics().matches("setting SHIFT_AMOUNT=").count()
    };
    // A worker keeps 16 instances. Many that are used once leave those for 14 settings in place.
    let (returning, once) = (0..14, 14..100);
    assert_eq!(opened(once.clone().chain(once.clone()).collect()), 2 * once.len() - 14);
    assert_eq!(opened(returning.clone().chain(once).chain(returning.clone()).collect()), 100);
    // When the settings change, two that alternate take the place of others.
    let alternating = (0..10).flat_map(|_| [100, 101]);
    assert_eq!(opened(returning.clone().chain(returning).chain(14..30).chain(alternating).collect()), 32);
}

#[test]
fn empty_input_gives_empty_output() {
    batch("").exits(0).prints("").says("");
}

#[test]
fn keeps_order_with_several_jobs() {
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
            same(together.audit_events(), alone.audit_events());
        }
    }
}
