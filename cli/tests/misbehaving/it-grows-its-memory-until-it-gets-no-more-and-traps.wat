;;$ encrypt ./guest.wasm x --max-memory 16MiB
;;? 1
;;! error: guest needs more than [..] of memory (--max-memory)
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
  (unreachable))
