;;$ encrypt ./guest.wasm x
;;? 1
;;! error: guest trapped: invalid conversion to integer
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (call $return (i32.trunc_f64_s (f64.const nan)) (i32.const 1)))
