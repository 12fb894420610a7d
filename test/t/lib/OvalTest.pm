# OvalTest: definitions of OVAL as other tools have written them down in JSON: as documents in XML for
# our reader, and as what they say, worked out here once more, by another way than our reader's.
#
# The tools' keys differ in nothing but their case and some names.
package OvalTest;

use strict;
use warnings;

use Exporter qw(import);
use FeedTest;
use IndexTest;
use JSON::PP;

our @EXPORT = qw(read_definition oval_document stated expected_of);

# A definition of a JSON file, its keys in lower case.
sub read_definition
{
    my ($path) = @_;
    my $lower;

    $lower = sub {
        my ($value) = @_;
        return [ map { $lower->($_) } @$value ] if ref $value eq 'ARRAY';
        return $value unless ref $value eq 'HASH';
        return { map { lc($_) => $lower->($value->{$_}) } keys %$value };
    };
    return $lower->(JSON::PP->new->utf8->decode(scalar `cat '$path'`));
}

sub escape
{
    my ($text) = @_;
    my %entity = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;');

    return $text =~ s/([&<>"])/$entity{$1}/gr;
}

sub criteria_xml
{
    my ($criteria) = @_;

    return '<criteria operator="' . ($criteria->{operator} || 'AND') . '">'
        . join('', map { criteria_xml($_) } @{ $criteria->{criterias} // [] })
        . join('', map { '<criterion comment="' . escape($_->{comment}) . '"/>' }
            @{ $criteria->{criterions} // [] })
        . '</criteria>';
}

# An OVAL document of definitions in the form of vuln-list: title, references, cves, severity, criteria.
sub oval_document
{
    return '<oval_definitions><definitions>' . join('', map {
        my $definition = $_;
        my ($number) = join '', $definition->{title} =~ /(\d+)-(\d+)/;

        "<definition id=\"oval:com.oracle.elsa:def:$number\" version=\"501\"><metadata><title>"
            . escape($definition->{title}) . '</title>'
            . join('', map { "<reference source=\"$_->{source}\" ref_id=\"$_->{id}\" ref_url=\"$_->{uri}\"/>" }
                @{ $definition->{references} })
            . "<advisory><severity>$definition->{severity}</severity>"
            . join('', map { "<cve>$_->{id}</cve>" } @{ $definition->{cves} // [] })
            . '</advisory></metadata>' . criteria_xml($definition->{criteria}) . '</definition>'
    } @_) . '</definitions></oval_definitions>';
}

# What a criterion asks for: [ key, value ] pairs; nothing when it does not matter; undef: never.
sub asked
{
    my ($comment) = @_;

    return if $comment =~ /is signed with|^\S+ earlier than |^kpatch-patch not/;
    return ([ package => '' ]) if $comment =~ /^ is earlier than /;    # which one?
    return ([ namespace => "oracle:$1" ]) if $comment =~ /^Oracle Linux (\d+) is installed$/;
    return ([ arch => $1 ]) if $comment =~ /^Oracle Linux arch is (\S+)$/;
    return ([ namespace => "photon:$1.0" ]) if $comment =~ /^Photon OS (\d+) is installed$/;
    return ([ namespace => "rhel:$1" ]) if $comment =~ /^Red Hat Enterprise Linux (\d+)\b.* is installed$/;
    return (undef) if $comment =~ /must be installed$|^Red Hat CoreOS/;
    return ([ module => $1 ]) if $comment =~ /^Module (\S+) is enabled$/;
    return ([ flavour => $1 eq 'fips patched' ? 'fips' : 'ksplice' ])
        if $comment =~ /^\S+ is (fips patched|ksplice-based)$/;
    return ([ package => $1 ], [ fixed => $2 ],
        map { [ flavour => $_ ] } $2 =~ /_fips$/ ? 'fips' : $2 =~ /\.ksplice/ ? 'ksplice' : ())
        if $comment =~ /^(\S+) is earlier than (\S+)$/;
    return ([ package => $1 ], [ absent => 1 ]) if $comment =~ /^(\S+) is not installed$/;
    return ([ package => $1 ]) if $comment =~ /^(\S+) is installed$/;
    die "not understood: $comment";
}

# The ways in which criteria hold, as hashes.
sub ways
{
    my ($criteria) = @_;
    my @parts;

    foreach my $criterion (@{ $criteria->{criterions} // [] })
    {
        my @asked = asked($criterion->{comment});

        push @parts, [ grep({ !defined } @asked) ? () : { map { $_->[0] => $_->[1] } @asked } ];
    }
    push @parts, [ ways($_) ] foreach @{ $criteria->{criterias} // [] };
    return map { @$_ } @parts if ($criteria->{operator} // 'AND') eq 'OR';

    my @ways = ({});
    foreach my $part (@parts)
    {
        my @longer;

        foreach my $way (@ways)
        {
            push @longer, map { { %$way, %$_ } } @$part;
        }
        @ways = @longer;
    }
    return @ways;
}

# What a definition says of packages, a line for each architecture; status is that of what is unfixed.
sub expected_of
{
    my ($names, $criteria, $status) = @_;
    my %lines;

    foreach my $way (grep { length($_->{package} // '') } ways($criteria))
    {
        foreach my $name (@$names)
        {
            $lines{ join "\t", $name, $way->{namespace}, $way->{package}, $way->{fixed} // '',
                $way->{absent} ? 'not_affected' : defined $way->{fixed} ? 'fixed' : $status,
                $way->{module} // '', $way->{flavour} // '', $way->{arch} // 'any' } = 1;
        }
    }
    return [ sort keys %lines ];
}

# What the database has of an updater, as such lines; without architectures when they are not compared.
sub stated
{
    my ($where, $updater, $architectures) = @_;
    my $arch = $architectures ? "COALESCE(arch, 'any')" : "'any'";

    return [ query($where, <<"SQL") ];
SELECT DISTINCT concat_ws(E'\t', v.name, a.namespace, a.package,
    CASE a.status WHEN 'fixed' THEN clair.bare(a.fixed) ELSE '' END, a.status::text,
    COALESCE(s.module, ''), COALESCE(s.flavour, ''), $arch) COLLATE "C" AS line
FROM clair.vulnerability AS v
    JOIN clair.affected AS a ON a.vulnerability_id = v.id
    LEFT JOIN clair.scope AS s ON s.id = a.scope_id
    LEFT JOIN LATERAL unnest(s.architectures) AS arch ON true
WHERE v.updater = '$updater' AND v.until_run IS NULL AND v.frozen IS NULL
    AND (a.introduced OPERATOR(clair.<) a.fixed OR a.status = 'not_affected')
ORDER BY line
SQL
}

1;
