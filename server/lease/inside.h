/* inside.h: what the files of this room know of a node; for this room only. */
#pragma once

#include "lease/node.h"

/* Asks of one node are made one after another. Worker threads. */
void node_ask_lock(struct node *n);
void node_ask_unlock(struct node *n);
void node_count(struct node *n, bool granted, bool refused);
