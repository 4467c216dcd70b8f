//! Slow input, as from `tail -f`: each result appears before the next record is written.

use crate::harness::{Cipher, audit_event};

#[test]
fn answers_each_line_at_once() {
    for jobs in ["-j1", "-j2", "-j8"] {
        let mut cipher = Cipher::new(["encrypt", "Caesar", "--lines", jobs]).start();
        for number in 0..50 {
            cipher.write(&format!("line {number}\n"));
            assert_eq!(cipher.line(), format!("olqh {number}\n"));
        }
        cipher.end().exits(0).prints("");
    }
}

#[test]
fn waits_for_rest_of_line() {
    for jobs in ["-j1", "-j2"] {
        let mut cipher = Cipher::new(["encrypt", "Caesar", "--lines", jobs]).start();
        cipher.write("one\ntw");
        assert_eq!(cipher.line(), "rqh\n");
        cipher.write("o\nthree");
        assert_eq!(cipher.line(), "wzr\n");
        let events = ["one", "two", "three"].map(|text| audit_event("encrypt", text)).concat();
        cipher.end().exits(0).prints("wkuhh").says(&events);
    }
}

#[test]
fn answers_each_request_at_once() {
    for jobs in ["-j1", "-j2"] {
        let mut cipher = Cipher::new(["batch", jobs]).start();
        for number in 0..20 {
            let algorithm = ["Caesar", "Vigenere"][number % 2];
            cipher.write(&format!("{{\"id\":{number},\"algorithm\":\"{algorithm}\",\"message\":\"abc\"}}\n"));
            let result = ["def", "wbu"][number % 2];
            assert_eq!(cipher.line(), format!("{{\"id\":{number},\"result\":\"{result}\"}}\n"));
        }
        cipher.end().exits(0).prints("");
    }
}

#[test]
fn follows_logs() {
    // The text that the test writes is appended to the log, which `tail` follows until the end of the test.
    let script = "echo one >log; exec 3<&0; cat <&3 >>log & \
                  tail -n +1 -f -s 0.1 --pid $! log | cipher encrypt Caesar --lines";
    let mut log = Cipher::shell(script).start();
    assert_eq!(log.line(), "rqh\n");
    for number in 0..5 {
        log.write(&format!("line {number}\n"));
        assert_eq!(log.line(), format!("olqh {number}\n"));
    }
    let events = audit_event("encrypt", "one") + &audit_event("encrypt", "line 0").repeat(5);
    log.end().exits(0).prints("").says(&events);
}
