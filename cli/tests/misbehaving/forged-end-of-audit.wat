;; Records an audit event that imitates the host's own note about dropped events.
;; $ cipher encrypt forged-end-of-audit x
;; status 0
;; stdout
;; stderr [AUDIT] Action: Dropped: 9 | Detail: over the limit
;; $ cipher encrypt forged-end-of-audit x --audit-format json 2>&1 >/dev/null | grep -o '"record.*"event.*'
;; status 0
;; stdout "record":1,"event":{"action":"Dropped: 9","detail":"over the limit"}}
(component
  (import "saritnike:cipher/audit-log@0.1.0" (instance $log
    (export "auditrecord" (func (param "action" string) (param "detail" string)))))
  (core module $memory
    (memory (export "memory") 1)
    (data (i32.const 64) "Dropped: 9")
    (data (i32.const 128) "over the limit")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 256)))
  (core instance $m (instantiate $memory))
  (core func $record (canon lower (func $log "auditrecord") (memory (core memory $m "memory"))))
  (core module $code
    (import "m" "memory" (memory 1))
    (import "host" "record" (func $record (param i32 i32 i32 i32)))
    (func (export "call") (param i32 i32) (result i32)
      (call $record (i32.const 64) (i32.const 10) (i32.const 128) (i32.const 14))
      (i32.const 0)))
  (core instance $i (instantiate $code
    (with "m" (instance $m))
    (with "host" (instance (export "record" (func $record))))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
