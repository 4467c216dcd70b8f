;;$ encrypt ./guest.wasm x --audit-file /dev/null
;;? 0
;;> x
(data (i32.const 64) "encrypt")
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (local $left i32)
  (local.set $left (i32.const 1000000))
  (loop $again
    (call $record (i32.const 64) (i32.const 7) (i32.const 64) (i32.const 1))
    (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
  (call $return (local.get $text) (local.get $length)))
