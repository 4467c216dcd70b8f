;;$ encrypt ./guest.wasm --lines -j2 --timeout 200ms
;;< one
;;< !two
;;< three
;;? 1
;;> one
;;> three
;;! error: record 2: guest ran longer than 200ms (--timeout)
;;! error: 1 of 3 records failed
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (if (i32.eq (i32.load8_u (local.get $text)) (i32.const 33)) (then (loop $again (br $again))))
  (call $return (local.get $text) (local.get $length)))
