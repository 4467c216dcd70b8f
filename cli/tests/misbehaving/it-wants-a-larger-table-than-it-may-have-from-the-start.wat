;;$ encrypt ./guest.wasm x --max-memory 16MiB
;;? 1
;;! error: guest needs more than [..] of memory (--max-memory)
(table $large 3000000 funcref)
