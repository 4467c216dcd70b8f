;;$ encrypt ./guest.wasm x
;;? 0
;;> x
;;! [AUDIT] Action: encrypt | Detail: 1\n[AUDIT] Action: decrypt | Detail: Length: 1\r\u{2028}\u{1b}[2K
;;! [AUDIT] Action: encrypt \u{7c} Detail: \u{202e}\u{200b}\0xyz | Detail: 1
(data (i32.const 64) "encrypt ")
(data (i32.const 72) "1\n[AUDIT] Action: decrypt | Detail: Length: 1\r\e2\80\a8\1b[2K")
(data (i32.const 128) "encrypt | Detail: \e2\80\ae\e2\80\8b\00xyz")
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (call $record (i32.const 64) (i32.const 7) (i32.const 72) (i32.const 53))
  (call $record (i32.const 128) (i32.const 28) (i32.const 72) (i32.const 1))
  (call $return (local.get $text) (local.get $length)))
