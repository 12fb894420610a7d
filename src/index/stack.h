/*
 * stack.h
 *    A layer that was read on its own, put upon the layers of its parent.
 */
#ifndef CLAIR_STACK_H
#define CLAIR_STACK_H

#include "index/index.h"

/* The id of the image that a text means; an error when there is none. Connects to SPI itself. */
extern int64 FindParent(const char *parent);

/* Lets nobody delete the parent until the end of the transaction. SPI is connected, as below. */
extern void KeepParent(const IndexJob *job);

/*
 * Makes of the job's rows, an image of one layer, those of the parent's layers and this one. Does
 * nothing when the job has no parent.
 */
extern void StackOnParent(IndexJob *job);

#endif
