;;$ encrypt ./guest.wasm x
;;? 1
;;! error: guest trapped: it reached code marked as unreachable
(func $start (unreachable))
(start $start)
