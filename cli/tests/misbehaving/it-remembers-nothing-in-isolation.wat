;;$ encrypt ./guest.wasm --lines -j1 --isolate
;;< a
;;< b
;;< c
;;? 0
;;> 1
;;> 1
;;> 1
(global $calls (mut i32) (i32.const 0))
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
  (i32.store8 (i32.const 64) (i32.add (i32.load8_u (i32.const 65)) (i32.add (i32.const 48) (global.get $calls))))
  (i32.store8 (i32.const 65) (i32.const 7))
  (call $return (i32.const 64) (i32.const 1)))
