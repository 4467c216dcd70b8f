;;$ encrypt ./guest.wasm x --timeout 200ms
;;? 1
;;! error: guest ran longer than 200ms (--timeout)
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (loop $again (call $block (call $wait (i64.const 1000000))) (br $again)) unreachable)
