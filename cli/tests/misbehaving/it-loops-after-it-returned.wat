;;$ encrypt ./guest.wasm x --timeout 200ms
;;? 1
;;! error: guest ran longer than 200ms (--timeout)
(func (export "returned") (param i32)
  (loop $again (br $again)))
