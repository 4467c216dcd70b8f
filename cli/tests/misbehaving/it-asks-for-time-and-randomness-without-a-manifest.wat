;;$ encrypt ./guest.wasm x
;;? 0
;;> 0H
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (i32.store8 (i32.const 64) (i32.add (i32.const 48) (i64.ne (call $now) (i64.const 0))))
  (i32.store8 (i32.const 65) (i32.add (i32.const 65) (i32.wrap_i64 (i64.and (call $random) (i64.const 15)))))
  (call $return (i32.const 64) (i32.const 2)))
