;;$ encrypt ./guest.wasm x
;;? 1
;;! error: guest trapped: undefined element: out of bounds table access
(table $table 1 funcref)
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (call_indirect $table (i32.const 9))
  (unreachable))
