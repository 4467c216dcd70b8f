;; Records an audit event with a detail of 64 MiB between two short ones.
;; $ cipher encrypt audit-large x
;; status 0
;; stdout
;; stderr [AUDIT] Action: short | Detail: short
;; stderr [AUDIT] Action: short | Detail: short
;; stderr [AUDIT] Dropped: 1 | Reason: over the limit
(component
  (import "saritnike:cipher/audit-log@0.1.0" (instance $log
    (export "auditrecord" (func (param "action" string) (param "detail" string)))))
  (core module $memory
    (memory (export "memory") 1025)
    (data (i32.const 64) "short")
    (func $start
      (memory.fill (i32.const 1024) (i32.const 120) (i32.const 0x4000000)))
    (start $start)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 256)))
  (core instance $m (instantiate $memory))
  (core func $record (canon lower (func $log "auditrecord") (memory (core memory $m "memory"))))
  (core module $code
    (import "m" "memory" (memory 1))
    (import "host" "record" (func $record (param i32 i32 i32 i32)))
    (func (export "call") (param i32 i32) (result i32)
      (call $record (i32.const 64) (i32.const 5) (i32.const 64) (i32.const 5))
      (call $record (i32.const 64) (i32.const 5) (i32.const 1024) (i32.const 0x4000000))
      (call $record (i32.const 64) (i32.const 5) (i32.const 64) (i32.const 5))
      (i32.const 0)))
  (core instance $i (instantiate $code
    (with "m" (instance $m))
    (with "host" (instance (export "record" (func $record))))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
