;;$ encrypt ./guest.wasm x
;;? 1
;;! error: guest trapped: indirect call type mismatch
(table $table 1 funcref)
(elem (i32.const 0) $other)
(func $other (param i32))
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (call_indirect $table (i32.const 0))
  (unreachable))
