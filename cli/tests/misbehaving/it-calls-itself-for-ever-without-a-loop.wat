;;$ encrypt ./guest.wasm x
;;? 1
;;! error: guest trapped: its stack is full (a recursion too deep?)
(func $deeper (call $deeper))
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (call $deeper)
  (unreachable))
