# UpdateinfoTest: updates of rpm packages, as documents for our reader and as what they say, read here once
# more by another way than our reader's; and images of any rpm packages.
#
# An update is a hash: id, type, title, severity, description, cves, and packages, hashes of name, epoch,
# version, release, arch, module.
package UpdateinfoTest;

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use Exporter qw(import);
use FeedTest;
use IO::Compress::Gzip qw(gzip);
use IndexTest;
use RpmOrder;

our @EXPORT = qw(updates_document repository_files write_repository read_updates evr_of rpm_image
    package_list updates_about expected_findings findings_of);

sub escape
{
    my ($text) = @_;
    my %entity = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;');

    return $text =~ s/([&<>"])/$entity{$1}/gr;
}

sub tag
{
    my ($name, %attributes) = @_;

    return "<$name" . join('', map { " $_=\"" . escape($attributes{$_}) . '"' } sort keys %attributes) . '/>';
}

# The document that updates make.
sub updates_document
{
    return "<?xml version=\"1.0\"?>\n<updates>" . join('', map {
        my $update = $_;

        '<update type="security">'
            . join('', map { "<$_>" . escape($update->{$_}) . "</$_>" }
                grep { defined $update->{$_} } qw(id title severity description))
            . '<references>' . join('', map { tag('reference', type => 'cve', id => $_) } @{ $update->{cves} })
            . '</references><pkglist><collection>'
            . join('', map { tag('package', %$_) } @{ $update->{packages} })
            . "</collection></pkglist></update>\n"
    } @_) . '</updates>';
}

# The files of a repository with this document, by their paths; options: checksum, in place of the true one.
sub repository_files
{
    my ($xml, %options) = @_;
    my $checksum;

    gzip(\$xml => \my $packed);
    $checksum = $options{checksum} // sha256_hex($packed);
    return ('repodata/x-updateinfo.xml.gz' => $packed, 'repodata/repomd.xml' => <<"XML");
<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo">
  <data type="updateinfo"><checksum type="sha256">$checksum</checksum>
    <location href="repodata/x-updateinfo.xml.gz"/></data>
</repomd>
XML
}

sub write_repository
{
    my ($folder, $xml, %options) = @_;
    my %files = repository_files($xml, %options);

    write_file("$folder/$_", $files{$_}) foreach keys %files;
}

sub attributes
{
    my ($tag) = @_;
    my %attributes;

    while ($tag =~ /([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)
    {
        $attributes{$1} = $2 // $3;
    }
    return \%attributes;
}

# The updates of a document.
sub read_updates
{
    my ($xml) = @_;
    my @updates;

    while ($xml =~ m{<update\b([^>]*)>(.*?)</update>}gs)
    {
        my ($head, $body) = ($1, $2);
        my %update = (type => attributes($head)->{type}, packages => []);

        foreach my $name (qw(id title severity description))
        {
            ($update{$name}) = $body =~ m{<$name>\s*(.*?)\s*</$name>}s;
        }
        $update{cves} = [ grep { /^CVE-/ } map { attributes($_)->{id} // '' } $body =~ /<reference\b([^>]*)>/g ];
        while ($body =~ m{<collection\b.*?</collection>}gs)
        {
            my $collection = $&;
            my ($module) = $collection =~ /<module\b([^>]*)>/;

            while ($collection =~ /<package\b([^>]*)>/g)
            {
                my %package = %{ attributes($1) };

                $package{module} = join ':', @{ attributes($module) }{qw(name stream)} if defined $module;
                push @{ $update{packages} }, \%package;
            }
        }
        push @updates, \%update;
    }
    return @updates;
}

# A package's version: [epoch:]version-release.
sub evr_of
{
    my ($package) = @_;

    return ($package->{epoch} ? "$package->{epoch}:" : '') . "$package->{version}-$package->{release}";
}

# An image, a layer, of a release and packages, [ name, version, architecture ] each.
sub rpm_image
{
    my ($path, $id, $version_id, @packages) = @_;

    return make_layer($path, 'etc/os-release' => "ID=\"$id\"\nVERSION_ID=\"$version_id\"\n",
        'var/lib/rpmmanifest/container-manifest-2' => join '', map {
            my ($name, $version, $architecture) = @$_;
            my $epoch = $version =~ s/^(\d+):// ? $1 : 0;

            join("\t", $name, $version, 1, 1, 'x', $epoch, 1, $architecture, $epoch, "$name-1-1.src.rpm") . "\n"
        } @packages);
}

# The packages of a list of the test data: [ name, version, architecture ] each.
sub package_list
{
    my ($path) = @_;
    my ($head, @lines) = split /\n/, PostgreSQL::Test::Utils::slurp_file($path);
    my @names = split /\t/, $head;
    my @packages;

    foreach my $line (@lines)
    {
        my %column;

        @column{@names} = split /\t/, $line, -1;
        next if $column{name} eq 'gpg-pubkey';
        $column{version} .= "-$column{release}" if defined $column{release};
        $column{version} = "$column{epoch}:$column{version}" if $column{epoch};
        push @packages, [ @column{qw(name version arch)}, $column{modularity} ];
    }
    return @packages;
}

# Updates of every third of packages, which fix one build later, the installed build, or one before.
sub updates_about
{
    my ($id, @packages) = @_;

    return map {
        my ($name, $version, $architecture) = @{ $packages[ 3 * $_ ] };
        my ($epoch, $upstream, $release) = $version =~ /^(?:(\d+):)?(.+)-([^-]+)$/;

        $release =~ s/^(\d+)/$1 + $_ % 3 - 1/e;
        { id => "$id-$_", cves => [ sprintf 'CVE-2031-%04d', $_ % 20 ], title => $name, severity => 'low',
            packages => [ { name => $name, epoch => $epoch // 0, version => $upstream, release => $release,
                arch => $architecture } ] }
    } 0 .. $#packages / 3;
}

# What of packages is vulnerable by updates, as rpm orders versions: lines of package, vulnerability and
# fix. Of the fixes of a vulnerability in a package the highest of each upstream version counts, and what
# is newer than that version is for the next one to say.
sub expected_findings
{
    my ($updates, @packages) = @_;
    my (%fixes, %asked, %found);

    foreach my $update (@$updates)
    {
        my @names = @{ $update->{cves} } ? @{ $update->{cves} } : ($update->{id});

        next if $update->{type} && $update->{type} ne 'security';
        foreach my $package (grep { $_->{arch} ne 'src' && $_->{name} !~ /-debug(?:info|source)/ }
            @{ $update->{packages} })
        {
            my $module = $package->{module} // ($package->{release} =~ /\.module/ ? undef : '');

            $fixes{ $package->{name} }{$_}{ evr_of($package) } = $module foreach @names;
        }
    }
    # All that may have to be compared, at once
    foreach my $package (@packages)
    {
        my ($name, $installed) = @$package;
        my %versions = map { ($_ => 1, s/-[^-]*$//r . '^' => 1) } map { keys %$_ } values %{ $fixes{$name} // {} };

        foreach my $version (keys %versions)
        {
            $asked{"$_ $version"} = [ $_, $version ] foreach $installed, keys %versions;
        }
    }
    my @asked = keys %asked;
    @asked{@asked} = RpmOrder::compare(@asked{@asked});
    my $compare = sub { $asked{"$_[0] $_[1]"} };
    foreach my $package (@packages)
    {
        my ($name, $installed, undef, $label) = @$package;
        my $own = ($label // '') =~ /^([^:]+:[^:]+):/ ? $1 : '';

        foreach my $cve (keys %{ $fixes{$name} // {} })
        {
            my $fixes_of = $fixes{$name}{$cve};
            my %highest;

            foreach my $fix (grep { ($fixes_of->{$_} // $own) eq $own } keys %$fixes_of)
            {
                my $base = $fix =~ s/-[^-]*$//r;
                $highest{$base} = $fix if !defined $highest{$base} || $compare->($fix, $highest{$base}) > 0;
            }
            my $below;
            foreach my $fix (sort { $compare->($a, $b) } values %highest)
            {
                $found{ join "\t", $name, $installed, $cve, $fix } = 1
                    if $compare->($installed, $fix) < 0 && (!defined $below || $compare->($installed, $below) >= 0);
                $below = ($fix =~ s/-[^-]*$//r) . '^';
            }
        }
    }
    return sort keys %found;
}

# The findings of an image, of an updater.
sub findings_of
{
    my ($where, $image, $updater) = @_;

    return query($where, "SELECT DISTINCT concat_ws(E'\\t', feature, installed_version, vulnerability, fixed_in)"
        . " COLLATE \"C\" AS line FROM clair.image_vulnerability WHERE image_id = clair.image_id('$image')"
        . " AND updater = '$updater' ORDER BY line");
}

1;
