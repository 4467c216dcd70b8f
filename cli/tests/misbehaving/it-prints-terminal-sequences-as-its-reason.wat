;;$ encrypt ./guest.wasm x
;;? 1
;;! error: guest failed: \u{1b}[31mred\u{1b}]0;title\u{7}\u{202e}\u{9b}2J
(data (i32.const 64) "\1b[31mred\1b]0;title\07\e2\80\ae\c2\9b2J\n")
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (call $write (call $stderr) (i32.const 64) (i32.const 26) (i32.const 16))
  (unreachable))
