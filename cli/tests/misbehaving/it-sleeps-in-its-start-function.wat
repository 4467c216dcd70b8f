;;$ encrypt ./guest.wasm x --timeout 200ms
;;? 1
;;! error: guest ran longer than 200ms (--timeout)
(func $start (call $block (call $wait (i64.const 3600000000000))))
(start $start)
