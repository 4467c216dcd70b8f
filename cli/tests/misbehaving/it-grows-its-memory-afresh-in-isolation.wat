;;$ encrypt ./guest.wasm --lines -j1 --isolate --max-memory 16MiB
;;< a
;;< b
;;< c
;;? 0
;;> a
;;> b
;;> c
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (if (i32.ne (memory.size) (i32.const 2)) (then (unreachable)))
  (drop (memory.grow (i32.const 100)))
  (call $return (local.get $text) (local.get $length)))
