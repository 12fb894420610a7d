# RpmOrder: the order of versions as rpm itself has it.
package RpmOrder;

use strict;
use warnings;

use File::Temp;

# Whether there is an rpm that compares versions.
sub available
{
    return `rpm --eval '%{lua: print(rpm.vercmp("1:1-1", "0:2-2"))}' 2>/dev/null` =~ /^1$/;
}

# How rpm orders pairs of versions, epochs included: -1, 0 or 1 for each.
sub compare
{
    my (@pairs) = @_;
    my @order;

    push @order, compare_some(splice @pairs, 0, 1000) while @pairs;    # an argument has 128 kB at most
    return @order;
}

sub compare_some
{
    my (@pairs) = @_;
    my $file = File::Temp->new;

    foreach my $pair (@pairs)
    {
        die "not a version: @$pair" if grep { !/^[\w:.+~^-]+$/ } @$pair;
        print $file qq{%{lua: print(rpm.vercmp("$pair->[0]", "$pair->[1]"))}\n};
    }
    close($file);
    my @order = split /\s+/, `rpm --eval "\$(cat '$file')"`;
    die 'rpm has not compared all' unless @order == @pairs;
    return @order;
}

1;
