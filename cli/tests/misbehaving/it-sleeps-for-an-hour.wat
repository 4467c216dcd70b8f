;;$ encrypt ./guest.wasm x --timeout 200ms
;;? 1
;;! error: guest ran longer than 200ms (--timeout)
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (call $block (call $wait (i64.const 3600000000000)))
  (call $return (local.get $text) (local.get $length)))
