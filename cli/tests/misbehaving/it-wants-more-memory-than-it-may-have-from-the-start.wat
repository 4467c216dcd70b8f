;;$ encrypt ./guest.wasm x --max-memory 16MiB
;;? 1
;;! error: guest needs more than [..] of memory (--max-memory)
(memory $large 300)
