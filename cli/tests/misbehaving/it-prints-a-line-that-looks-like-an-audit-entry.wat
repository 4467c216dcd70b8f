;;$ encrypt ./guest.wasm x
;;? 1
;;! error: guest failed: [AUDIT] Action: encrypt | Detail: Length: 1
(data (i32.const 64) "[AUDIT] Action: encrypt | Detail: Length: 1\n")
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (call $write (call $stderr) (i32.const 64) (i32.const 44) (i32.const 16))
  (unreachable))
