// What files that stand on the graph dialect include, precompiled once.
#include "TenonPrecompiled.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
