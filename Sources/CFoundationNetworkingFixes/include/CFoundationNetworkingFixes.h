#ifndef CFOUNDATIONNETWORKINGFIXES_H
#define CFOUNDATIONNETWORKINGFIXES_H

#include <stdbool.h>

// Whether FoundationNetworking calls the functions of this target: all of them, or none. Linking the
// target is all it takes.
bool cfnf_are_active(void);

#endif
