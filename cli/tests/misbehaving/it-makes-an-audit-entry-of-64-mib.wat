;;$ encrypt ./guest.wasm x
;;? 0
;;> x
;;! [AUDIT] Action: dropped | Detail: 1 further entries, past the limit
(data (i32.const 64) "encrypt")
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (call $record (i32.const 64) (i32.const 7) (call $allocate (i32.const 0x4000000)) (i32.const 0x4000000))
  (call $return (local.get $text) (local.get $length)))
