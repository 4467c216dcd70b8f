;;$ encrypt ./guest.wasm x --max-memory 16MiB
;;? 1
;;! error: guest needs more than [..] of memory (--max-memory)
(table $table 0 funcref)
(func (export "encr") (param $text i32) (param $length i32) (result i32)
  (loop $again (br_if $again (i32.ne (table.grow $table (ref.null func) (i32.const 65536)) (i32.const -1))))
  (unreachable))
