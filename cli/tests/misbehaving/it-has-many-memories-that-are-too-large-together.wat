;;$ encrypt ./guest.wasm x --max-memory 16MiB
;;? 1
;;! error: guest needs more than [..] of memory (--max-memory)
(memory $m0 50)
(memory $m1 50)
(memory $m2 50)
(memory $m3 50)
(memory $m4 50)
(memory $m5 50)
