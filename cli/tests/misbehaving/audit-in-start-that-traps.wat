;; Records an audit event in its start function, and then traps. The event is still written.
;; $ cipher encrypt audit-in-start-that-traps x
;; status 1
;; stderr [AUDIT] Action: early | Detail: early
;; stderr error: audit-in-start-that-traps trapped: it reached code marked as unreachable
;; $ printf 'a\nb\n' | cipher encrypt audit-in-start-that-traps --lines -j1 --audit-format json 2>&1 >/dev/null | grep -o '"record.*"event.*'
;; status 0
;; stdout "record":1,"event":{"action":"early","detail":"early"}}
;; stdout "record":2,"event":{"action":"early","detail":"early"}}
(component
  (import "saritnike:cipher/audit-log@0.1.0" (instance $log
    (export "auditrecord" (func (param "action" string) (param "detail" string)))))
  (core module $memory
    (memory (export "memory") 1)
    (data (i32.const 64) "early")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 256)))
  (core instance $m (instantiate $memory))
  (core func $record (canon lower (func $log "auditrecord") (memory (core memory $m "memory"))))
  (core module $code
    (import "m" "memory" (memory 1))
    (import "host" "record" (func $record (param i32 i32 i32 i32)))
    (func $start
      (call $record (i32.const 64) (i32.const 5) (i32.const 64) (i32.const 5))
      (unreachable))
    (start $start)
    (func (export "call") (param i32 i32) (result i32)
      (i32.const 0)))
  (core instance $i (instantiate $code
    (with "m" (instance $m))
    (with "host" (instance (export "record" (func $record))))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
