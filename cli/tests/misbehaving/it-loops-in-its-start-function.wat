;;$ encrypt ./guest.wasm x --timeout 200ms
;;? 1
;;! error: guest ran longer than 200ms (--timeout)
(func $start (loop $again (br $again)))
(start $start)
