;;$ encrypt ./guest.wasm x --max-memory 16MiB
;;? 0
;;> x
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
  (call $return (local.get $text) (local.get $length)))
