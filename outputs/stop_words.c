#include "outputs/stop_words.h"

#include <string.h>

/* Between spaces, as folded texts are. */
static const char ENGLISH[] =
	" a about all also am an and any are as at be been but by can could did do does for from had has "
	"have he her his how i if in is it its many me much my no not of on or our she so than that the "
	"their them there these they this those to was we were what when where which who whom whose why "
	"will with would you your ";
static const char GERMAN[] =
	" aber alle als am an auch auf aus bei bin bis bist das dass dem den der des die dies diese dieser "
	"doch du ein eine einem einen einer eines er es fur hat hatte hatten ich ihr ihre im in ist ja kann "
	"kein keine man mein mit nach nicht noch nur oder ob sein seine sich sie sind so um und uns unser "
	"vom von vor wann war waren warum was welche welchem welchen welcher welches wem wen wenn wer werden "
	"wessen wie wieviel wir wird wo wurde wurden zu zum zur uber ";
static const char FRENCH[] =
	" a ai as au aux avec ce ces cet cette combien comment d dans de des du elle elles en est et etait "
	"eu il ils j je l la le les leur lui m ma mais me mes mon n ne nous on ont ou par pas pour pourquoi "
	"qu quand que quel quelle quelles quels qui quoi s sa se ses si son sont sur t ta te tes ton tu un "
	"une vos votre vous y ";
static const char SPANISH[] =
	" al como con cual cuales cuando cuanto cuantos de del donde e el ella ellas ellos en era es esta "
	"estan este esto fue fueron ha han hay la las le les lo los mas me mi muy no nos o para pero por "
	"porque que quien quienes se ser si sin sobre son su sus te tu un una unas unos y ya ";

gboolean weft_stop_words_have(const char *folded)
{
	static const char *const lists[] = {ENGLISH, GERMAN, FRENCH, SPANISH};
	g_autofree char *word = g_strconcat(" ", folded, " ", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
		if (strstr(lists[i], word))
			return TRUE;
	return FALSE;
}
