;;$ encrypt ./guest.wasm x
;;? 1
;;! error: guest failed: xxxxx[..]xxxxx …
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (local $left i32)
  (memory.fill (i32.const 8192) (i32.const 120) (i32.const 4096))
  (local.set $left (i32.const 25600))
  (loop $again
    (call $write (call $stderr) (i32.const 8192) (i32.const 4096) (i32.const 16))
    (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
  (unreachable))
