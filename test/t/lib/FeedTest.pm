# FeedTest: feeds and images of a test's own making, runs of updaters, and what they come to.
#
# "Where" is, as in IndexTest, a server, of which the database postgres is meant, or a session.
package FeedTest;

use strict;
use warnings;

use Exporter qw(import);
use File::Path qw(make_path);
use IO::Compress::Zip qw($ZipError);
use IndexTest;
use JSON::PP;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(new_database write_file set_feed update update_watching_alerts status_paragraphs
    make_layer zip_of index_file);

# A new database with the extension in it, as a session that lasts.
sub new_database
{
    my ($node, $name) = @_;

    $node->safe_psql('postgres', "CREATE DATABASE $name");
    create_extension($node, $name);
    return $node->background_psql($name, on_error_stop => 0);
}

# Writes a file, and the folders above it. What is not text becomes JSON.
sub write_file
{
    my ($path, $content) = @_;

    make_path($path =~ s{/[^/]*$}{}r);
    open(my $file, '>:raw', $path) or die "$path: $!";
    print $file ref $content ? JSON::PP->new->utf8->canonical->encode($content) : $content;
    close($file) or die "$path: $!";
}

# Points an updater to a file or folder; options are the text of a JSON object.
sub set_feed
{
    my ($where, $updater, $path, $options) = @_;

    query($where, "UPDATE clair.updater SET url = 'file://$path'"
        . (defined $options ? ", options = '$options'" : '') . " WHERE name = '$updater'");
}

# Runs an updater: the row of clair.update() as a hash, with the error of a run that failed.
sub update
{
    my ($where, $updater) = @_;
    my @columns = qw(run state records unchanged broken added changed withdrawn);
    my %row;

    @row{@columns} = split /\|/, scalar query($where, 'SELECT ' . join(', ', @columns)
        . " FROM clair.update('$updater')");
    $row{error} = query($where, 'SELECT concat_ws(E\'\n\', error, error_detail, error_hint)'
        . " FROM clair.update_run WHERE id = $row{run}");
    return \%row;
}

# The same in a session, as update(), and where its alerts are not what has become of the findings of
# images: that is compared with what clair.image_vulnerability says before and after the run.
sub update_watching_alerts
{
    my ($session, $updater) = @_;
    my $findings = 'SELECT DISTINCT vulnerability, image_id, feature, installed_version, severity, fixed_in, status'
        . " FROM clair.image_vulnerability WHERE updater = '$updater'";

    query($session, "CREATE TEMPORARY TABLE formerly AS $findings");
    my $run = update($session, $updater);
    my $differences = query($session, <<"SQL");
CREATE TEMPORARY TABLE presently AS $findings;
CREATE TEMPORARY TABLE changed AS
SELECT 'before' AS side, * FROM (TABLE formerly EXCEPT TABLE presently) AS gone
UNION ALL
SELECT 'after', * FROM (TABLE presently EXCEPT TABLE formerly) AS new;
CREATE TEMPORARY TABLE told AS
SELECT DISTINCT i.side, n.vulnerability, i.image, i.feature, i.installed_version, i.severity, i.fixed_in, i.status
FROM clair.notification AS n, clair.notification_images(n.id, 1000000) AS i
WHERE n.run = $run->{run};
SELECT 'not told', * FROM (TABLE changed EXCEPT TABLE told) AS d
UNION ALL
SELECT 'not so', * FROM (TABLE told EXCEPT TABLE changed) AS d;
SELECT 'counted', * FROM (
    SELECT vulnerability, images FROM clair.notification WHERE run = $run->{run}
    EXCEPT SELECT vulnerability, count(DISTINCT image_id) FROM changed GROUP BY vulnerability) AS d;
DROP TABLE formerly, presently, changed, told;
SQL
    return ($run, $differences);
}

# The text of a dpkg status file: [ name, version ] or [ name, version, source ] each.
sub status_paragraphs
{
    return join "\n", map {
        my ($name, $version, $source) = @$_;
        "Package: $name\nStatus: install ok installed\nArchitecture: amd64\n"
            . (defined $source ? "Source: $source\n" : '')
            . "Version: $version\n"
    } @_;
}

# Packs files, path => content, as a layer; the same ones always as the same bytes.
sub make_layer
{
    my ($path, %files) = @_;
    my $folder = PostgreSQL::Test::Utils::tempdir();

    write_file("$folder/$_", $files{$_}) foreach keys %files;
    system_or_bail('tar', '-C', $folder, '--mtime=@0', '--owner=0', '--group=0', '-cf', $path,
        sort keys %files);
    return $path;
}

# A zip of files, name => content.
sub zip_of
{
    my (%files) = @_;
    my $zip;
    my $out = IO::Compress::Zip->new(\$zip, Name => (sort keys %files)[0]) or die $ZipError;
    my $first = 1;

    foreach my $name (sort keys %files)
    {
        $out->newStream(Name => $name) if !$first;
        $first = 0;
        $out->print($files{$name});
    }
    $out->close;
    return $zip;
}

# Indexes a file under a name; the image's number.
sub index_file
{
    my ($where, $path, $name) = @_;

    return scalar query($where, "SELECT image FROM clair.index_image('$path', '$name')");
}

1;
