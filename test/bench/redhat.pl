#!/usr/bin/perl
# Measures the first update from Red Hat's documents, and reading them alone.
use strict;
use warnings;

use FindBin;

exec("$FindBin::Bin/update.pl", 'redhat') or die "update.pl: $!\n";
