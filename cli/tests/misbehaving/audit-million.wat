;; Records a million audit events.
;; $ cipher encrypt audit-million x 2>&1 | tail -n 3
;; status 0
;; stdout [AUDIT] Action: again | Detail: again
;; stdout [AUDIT] Dropped: 999000 | Reason: over the limit
;; stdout
;; $ printf 'a\nb\n' | cipher encrypt audit-million --lines -j1 2>&1 | grep -c "again$"
;; status 0
;; stdout 2000
;; $ cipher encrypt audit-million x --audit-format json 2>&1 >/dev/null | grep -o '"record.*"dropped.*'
;; status 0
;; stdout "record":1,"dropped":999000}
(component
  (import "saritnike:cipher/audit-log@0.1.0" (instance $log
    (export "auditrecord" (func (param "action" string) (param "detail" string)))))
  (core module $memory
    (memory (export "memory") 1)
    (data (i32.const 64) "again")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 256)))
  (core instance $m (instantiate $memory))
  (core func $record (canon lower (func $log "auditrecord") (memory (core memory $m "memory"))))
  (core module $code
    (import "m" "memory" (memory 1))
    (import "host" "record" (func $record (param i32 i32 i32 i32)))
    (func (export "call") (param i32 i32) (result i32)
      (local $left i32)
      (local.set $left (i32.const 1000000))
      (loop $again
        (call $record (i32.const 64) (i32.const 5) (i32.const 64) (i32.const 5))
        (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (i32.const 0)))
  (core instance $i (instantiate $code
    (with "m" (instance $m))
    (with "host" (instance (export "record" (func $record))))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
