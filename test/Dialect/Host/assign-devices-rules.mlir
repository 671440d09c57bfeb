// RUN: %tenon_opt %s --verify-diagnostics --pass-pipeline="builtin.module(tenon-assign-devices{rules=tenon.exp=})"

// expected-error @+1 {{expects device rules like 'npu' or 'tenon.contract=npu', but has 'tenon.exp='}}
module {}
