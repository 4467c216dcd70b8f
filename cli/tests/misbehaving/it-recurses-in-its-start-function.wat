;;$ encrypt ./guest.wasm x
;;? 1
;;! error: guest trapped: its stack is full (a recursion too deep?)
(func $start (call $start))
(start $start)
