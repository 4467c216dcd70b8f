;;$ encrypt ./guest.wasm --lines -j1
;;< a
;;< b
;;< c
;;? 0
;;> 1
;;> 2
;;> 3
(global $calls (mut i32) (i32.const 0))
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
  (i32.store8 (i32.const 64) (i32.add (i32.const 48) (global.get $calls)))
  (call $return (i32.const 64) (i32.const 1)))
