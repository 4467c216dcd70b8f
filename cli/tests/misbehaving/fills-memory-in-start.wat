;; Fills 1000 MiB of memory with one instruction while it is instantiated.
;; $ cipher encrypt fills-memory-in-start x --timeout 50ms 2>&1
;; status 1
;; stdout [AUDIT] Failed: start | Reason: fills-memory-in-start ran longer than 50ms (--timeout)
;; stdout error: fills-memory-in-start ran longer than 50ms (--timeout)
(component
  (core module $code
    (memory (export "memory") 16000)
    (func $start
      (memory.fill (i32.const 0) (i32.const 0) (i32.const 0x3e800000)))
    (start $start)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (i32.const 0)))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
