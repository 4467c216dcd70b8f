;; Records an event, and fills 1000 MiB of memory with one instruction, which checks no deadline. Then it succeeds.
;; $ cipher encrypt fills-memory-once x --timeout 50ms
;; status 1
;; stderr [AUDIT] Action: before | Detail: before
;; stderr error: fills-memory-once ran longer than 50ms (--timeout)
;; $ cipher encrypt fills-memory-once x --timeout 50ms 2>&1 | grep Failed
;; status 0
;; stdout [AUDIT] Failed: encrypt | Reason: fills-memory-once ran longer than 50ms (--timeout)
;; $ echo x | cipher encrypt -q fills-memory-once --lines --timeout 50ms
;; status 3
;; stderr error: record 1: fills-memory-once ran longer than 50ms (--timeout)
;; stderr error: 1 of 1 records failed
(component
  (import "saritnike:cipher/audit-log@0.1.0" (instance $audit
    (export "auditrecord" (func (param "action" string) (param "detail" string)))))
  (core module $memory
    (memory (export "memory") 16000)
    (data (i32.const 32) "before")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16)))
  (core instance $m (instantiate $memory))
  (core func $record (canon lower (func $audit "auditrecord") (memory (core memory $m "memory"))))
  (core module $code
    (import "m" "memory" (memory 1))
    (import "m" "record" (func $record (param i32 i32 i32 i32)))
    (func (export "call") (param i32 i32) (result i32)
      (call $record (i32.const 32) (i32.const 6) (i32.const 32) (i32.const 6))
      (memory.fill (i32.const 0) (i32.const 0) (i32.const 0x3e800000))
      (i32.const 0)))
  (core instance $i (instantiate $code (with "m" (instance
    (export "memory" (memory $m "memory"))
    (export "record" (func $record))))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
